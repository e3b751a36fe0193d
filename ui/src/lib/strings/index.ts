/**
 * Every word the console says, in one place: a part per screen, put together here. Sentences with values are functions, so a
 * translation may order them as its language does.
 */
import { access } from "./access";
import { alerts } from "./alerts";
import { audit } from "./audit";
import { balances } from "./balances";
import { common } from "./common";
import { customers } from "./customers";
import { events } from "./events";
import { exceptions } from "./exceptions";
import { explain } from "./explain";
import { forecast } from "./forecast";
import { keys } from "./keys";
import { limits } from "./limits";
import { meters } from "./meters";
import { notifications } from "./notifications";
import { overview } from "./overview";
import { rates } from "./rates";
import { refusals } from "./refusals";
import { reservations } from "./reservations";
import { secrets } from "./secrets";
import { shell } from "./shell";
import { snippets } from "./snippets";
import { webhooks } from "./webhooks";

export const t = {
  ...common,
  shell,
  overview,
  customers,
  events,
  meters,
  limits,
  exceptions,
  rates,
  balances,
  reservations,
  refusals,
  alerts,
  notifications,
  explain,
  forecast,
  audit,
  webhooks,
  secrets,
  access,
  keys,
  snippets,
};
export { counted } from "./common";
