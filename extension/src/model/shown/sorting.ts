import type { Client } from "@rport/protocol/model";
import { displayName, statusOf } from "../arrange.ts";
import { naturalKey } from "../naturalKey.ts";

/** In which order clients can stand in their groups. */
export const SORTINGS = ["name", "lastSeen"] as const;

/** In which order clients stand in their groups. */
export type Sorting = (typeof SORTINGS)[number];

/** Later than every time that is sorted by, in milliseconds since the epoch. */
const END_MS = 1e15;

/** A key whose plain comparison puts clients in order. */
export function sortKey(client: Client, sorting: Sorting): string {
  const name = naturalKey(displayName(client));
  if (sorting === "name") return name;
  // those that are there now first, then those that left last
  if (statusOf(client) === "online") return `0${name}`;
  const time = client.disconnected_at ?? client.last_heartbeat_at ?? client.connected_at;
  if (time === null) return `2${name}`;
  return `1${String(END_MS - Date.parse(time)).padStart(16, "0")}${name}`;
}
