/** Operations that the generated table does not list: those that only the window may call, which have no route. */
import type { Operations, ServerState } from "./generated";

/** What of the local server to change. */
export type ServerPatch = {
  /** Whether it is to be on. */
  enabled?: boolean;
  /** Whether other machines may reach it. */
  lan?: boolean;
  /** The port it is to listen on, 1,024 to 65,535. */
  port?: number;
};

/** Only the window may call these. */
export interface LocalOperations {
  /** Turns the local server on or off, or says who may reach it. */
  "server.update": { req: ServerPatch; res: ServerState };
}

export type AllOperations = Operations & LocalOperations;
