/**
 * The screens: each address, what draws it, and what the sidebar lists. A screen is listed here the day it works.
 */
import Activity from "@lucide/svelte/icons/activity";
import Bell from "@lucide/svelte/icons/bell";
import ChartColumn from "@lucide/svelte/icons/chart-column";
import Gauge from "@lucide/svelte/icons/gauge";
import KeyRound from "@lucide/svelte/icons/key-round";
import List from "@lucide/svelte/icons/list";
import ScrollText from "@lucide/svelte/icons/scroll-text";
import Settings from "@lucide/svelte/icons/settings";
import Users from "@lucide/svelte/icons/users";
import Wallet from "@lucide/svelte/icons/wallet";
import Webhook from "@lucide/svelte/icons/webhook";
import type { Component } from "svelte";
import { t } from "$lib/strings";
import AccessScreen from "./access/AccessScreen.svelte";
import AlertsScreen from "./alerts/AlertsScreen.svelte";
import AuditScreen from "./audit/AuditScreen.svelte";
import BalanceFormScreen from "./balances/BalanceFormScreen.svelte";
import BalanceScreen from "./balances/BalanceScreen.svelte";
import BalancesScreen from "./balances/BalancesScreen.svelte";
import CustomerScreen from "./customers/CustomerScreen.svelte";
import CustomersScreen from "./customers/CustomersScreen.svelte";
import EventsScreen from "./events/EventsScreen.svelte";
import ImportScreen from "./events/ImportScreen.svelte";
import LimitFileScreen from "./limits/LimitFileScreen.svelte";
import LimitFormScreen from "./limits/LimitFormScreen.svelte";
import LimitScreen from "./limits/LimitScreen.svelte";
import LimitsScreen from "./limits/LimitsScreen.svelte";
import MeterFormScreen from "./meters/MeterFormScreen.svelte";
import MeterScreen from "./meters/MeterScreen.svelte";
import MetersScreen from "./meters/MetersScreen.svelte";
import OverviewScreen from "./overview/OverviewScreen.svelte";
import RateScreen from "./rates/RateScreen.svelte";
import RatesScreen from "./rates/RatesScreen.svelte";
import SettingsScreen from "./settings/SettingsScreen.svelte";
import WebhookFormScreen from "./webhooks/WebhookFormScreen.svelte";
import WebhookScreen from "./webhooks/WebhookScreen.svelte";
import WebhooksScreen from "./webhooks/WebhooksScreen.svelte";

type Icon = Component<{ size?: number | string; strokeWidth?: number | string }>;

export interface ScreenRoute {
  /** As `match` of the router reads it. The first fitting one wins. */
  pattern: string;
  component: Component<{ params: Record<string, string> }>;
  /** These parameters make it another visit: the screen starts anew when they change. */
  identity?: readonly string[];
}

export interface NavEntry {
  path: string;
  label: string;
  icon: Icon;
  /** The key after `g`. */
  key: string;
  /** Groups are set apart by a gap. */
  group: 1 | 2 | 3;
}

export const ROUTES: ScreenRoute[] = [
  { pattern: "", component: OverviewScreen },
  { pattern: "overview", component: OverviewScreen },
  { pattern: "customers", component: CustomersScreen },
  { pattern: "customers/:id/:tab?", component: CustomerScreen, identity: ["id"] },
  { pattern: "events", component: EventsScreen },
  { pattern: "events/import/:id?", component: ImportScreen, identity: ["id"] },
  { pattern: "alerts", component: AlertsScreen },
  { pattern: "meters", component: MetersScreen },
  { pattern: "meters/new", component: MeterFormScreen },
  { pattern: "meters/:id", component: MeterScreen, identity: ["id"] },
  { pattern: "meters/:id/edit", component: MeterFormScreen, identity: ["id"] },
  { pattern: "limits", component: LimitsScreen },
  { pattern: "limits/new", component: LimitFormScreen },
  { pattern: "limits/file", component: LimitFileScreen },
  { pattern: "limits/rates", component: RatesScreen },
  { pattern: "limits/rates/:id", component: RateScreen, identity: ["id"] },
  { pattern: "limits/:id", component: LimitScreen, identity: ["id"] },
  { pattern: "limits/:id/edit", component: LimitFormScreen, identity: ["id"] },
  { pattern: "balances", component: BalancesScreen },
  { pattern: "balances/new", component: BalanceFormScreen },
  { pattern: "balances/:id/edit", component: BalanceFormScreen, identity: ["id"] },
  { pattern: "balances/:id/:tab?", component: BalanceScreen, identity: ["id"] },
  { pattern: "webhooks", component: WebhooksScreen },
  { pattern: "webhooks/new", component: WebhookFormScreen },
  { pattern: "webhooks/:id", component: WebhookScreen, identity: ["id"] },
  { pattern: "webhooks/:id/edit", component: WebhookFormScreen, identity: ["id"] },
  { pattern: "access/:tab?", component: AccessScreen },
  { pattern: "audit", component: AuditScreen },
  { pattern: "settings", component: SettingsScreen },
];

export const NAV: NavEntry[] = [
  { path: "overview", label: t.shell.overview, icon: ChartColumn, key: "o", group: 1 },
  { path: "customers", label: t.shell.customers, icon: Users, key: "c", group: 1 },
  { path: "events", label: t.shell.events, icon: List, key: "e", group: 1 },
  { path: "alerts", label: t.shell.alerts, icon: Bell, key: "i", group: 1 },
  { path: "meters", label: t.shell.meters, icon: Activity, key: "m", group: 2 },
  { path: "limits", label: t.shell.limits, icon: Gauge, key: "l", group: 2 },
  { path: "balances", label: t.shell.balances, icon: Wallet, key: "b", group: 2 },
  { path: "webhooks", label: t.shell.webhooks, icon: Webhook, key: "w", group: 3 },
  { path: "access", label: t.shell.access, icon: KeyRound, key: "k", group: 3 },
  { path: "audit", label: t.shell.audit, icon: ScrollText, key: "a", group: 3 },
  { path: "settings", label: t.shell.settings, icon: Settings, key: "s", group: 3 },
];
