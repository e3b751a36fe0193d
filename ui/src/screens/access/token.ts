/** Client tokens in terms of what a person asks: whether one lets somebody in, and what is sent to make one. */
import type { ClientToken, NewClientToken } from "$lib/api/types";
import { millis } from "$lib/format/time";
import { t } from "$lib/strings";

export type TokenState = "active" | "expired" | "revoked";

export function stateOf(token: Pick<ClientToken, "expiresAt" | "revokedAt">, now: number): TokenState {
  if (token.revokedAt !== null) return "revoked";
  return millis(token.expiresAt) <= now ? "expired" : "active";
}

export interface TokenDraft {
  customerId: string;
  /** JSON, as it was typed. */
  publicMetadata: string;
  serverContext: string;
  ttl: string;
}

export const emptyDraft: TokenDraft = { customerId: "", publicMetadata: "", serverContext: "", ttl: "3600" };

/** What was written, or what is wrong with it, by field. */
export function read(draft: TokenDraft): { token: NewClientToken | null; errors: Record<string, string> } {
  const words = t.access.tokens;
  const errors: Record<string, string> = {};
  const json = (field: "publicMetadata" | "serverContext"): unknown => {
    const text = draft[field].trim();
    if (text === "") return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch (thrown) {
      errors[field] = words.notJson(thrown instanceof Error ? thrown.message : String(thrown));
      return undefined;
    }
  };
  const written = json("publicMetadata");
  const metadata = written === undefined ? {} : written;
  const context = json("serverContext");
  if (draft.customerId === "") errors.customerId = words.noCustomer;
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata)) errors.publicMetadata ??= words.notObject;
  else {
    const named = metadata as Record<string, unknown>;
    const other = ["customerId", "customer_id"].some((name) => named[name] !== undefined && named[name] !== draft.customerId);
    if (other && draft.customerId !== "") errors.publicMetadata = words.otherCustomer;
  }
  if (Object.keys(errors).length > 0) return { token: null, errors };
  const token: NewClientToken = {
    publicMetadata: { customerId: draft.customerId, ...(metadata as Record<string, unknown>) },
    ttlSeconds: Number(draft.ttl),
  };
  if (context !== undefined) token.serverContext = context as NewClientToken["serverContext"];
  return { token, errors };
}
