/** Which alerts the operator has not been told of, and in what words they are told. */
import { addressOf, detailOf, titleOf } from "$lib/alert-words";
import type { Notice } from "$lib/api/backend";
import type { Alert } from "$lib/api/types";
import { formatCount } from "$lib/format/quantity";
import { millis } from "$lib/format/time";
import { href } from "$lib/state/router.svelte";
import { t } from "$lib/strings";

/** How far the operator has been told: everything before an instant, and these of that instant's millisecond. */
export interface Told {
  at: number;
  ids: string[];
}

/** More than this at once are told as one. */
const MOST_NOTICES = 3;
const NAMED = 3;

type News = Pick<Alert, "id" | "createdAt" | "customerId" | "limit" | "balance">;

/** The alerts that are new, newest first as they came, and how far the operator is told with them. Before the first time nothing is new. */
export function newsOf<A extends News>(alerts: readonly A[], told: Told | null): { news: A[]; told: Told } {
  const newest = alerts.reduce((at, alert) => Math.max(at, millis(alert.createdAt)), told?.at ?? 0);
  const ids = alerts.filter((alert) => millis(alert.createdAt) === newest).map((alert) => alert.id);
  const kept = newest === told?.at ? told.ids.filter((id) => !ids.includes(id)) : [];
  const isNew = (alert: A) => {
    const at = millis(alert.createdAt);
    return told !== null && (at > told.at || (at === told.at && !told.ids.includes(alert.id)));
  };
  return { news: alerts.filter(isNew), told: { at: newest, ids: [...kept, ...ids] } };
}

/** One notice each, or one for all where they are many. `more`: there are others beyond these. */
export function noticesOf(news: readonly News[], more: boolean): Notice[] {
  const words = t.notifications;
  if (news.length <= MOST_NOTICES && !more) {
    return [...news].reverse().map((alert) => ({
      id: alert.id,
      title: titleOf(alert),
      body: detailOf(alert),
      address: addressOf(alert),
    }));
  }
  const customers = [...new Set(news.map((alert) => alert.customerId))];
  const names = customers.slice(0, NAMED).join(", ");
  const rest = customers.length - NAMED;
  return [
    {
      id: news[0]!.id,
      title: more ? words.manyAtLeast(formatCount(news.length)) : words.many(formatCount(news.length)),
      body: rest > 0 ? words.andMore(names, rest, formatCount(rest)) : names,
      address: href("alerts"),
    },
  ];
}
