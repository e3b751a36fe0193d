/**
 * Every word the console says, in one place: a part per screen, put together here. Sentences with values are functions, so a
 * translation may order them as its language does.
 */
import { audit } from "./audit";
import { common } from "./common";
import { customers } from "./customers";
import { events } from "./events";
import { limits } from "./limits";
import { meters } from "./meters";
import { overview } from "./overview";
import { rates } from "./rates";
import { refusals } from "./refusals";
import { shell } from "./shell";

export const t = { ...common, shell, overview, customers, events, meters, limits, rates, refusals, audit };
export { counted } from "./common";
