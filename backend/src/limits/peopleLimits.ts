import type { LimitRow } from "./limitRow.ts";

/** Limits that people and their programs meet; see `LIMITS`. */
export const PEOPLE_LIMITS = {
  proofs_per_second: {
    usual: 2_000,
    least: 1,
    most: 100_000,
    unit: "count",
    what: "proofs that programs of this machine ask for on connections that have had one",
  },
  audit_queries: {
    usual: 16,
    least: 1,
    most: 1_024,
    unit: "count",
    what: "searches of the audit log that wait for the one under way",
  },
  audit_query_ms: {
    usual: 2_000,
    least: 100,
    most: 60_000,
    unit: "ms",
    what: "how long one search of the audit log may take",
  },
  list_queries: {
    usual: 16,
    least: 1,
    most: 1_024,
    unit: "count",
    what: "searches of lists that wait of one user",
  },
  list_query_ms: {
    usual: 2_000,
    least: 100,
    most: 60_000,
    unit: "ms",
    what: "how long one search of a list may keep the processor busy",
  },
  sockets_per_user: {
    usual: 1_024,
    least: 8,
    most: 1_000_000,
    unit: "count",
    what: "connections of one user; a quarter of all at the most",
  },
  watch_message_bytes: {
    usual: 1_024,
    least: 128,
    most: 1 << 20,
    unit: "bytes",
    what: "one message of somebody who watches events, who has nothing to say there",
  },
  dial_message_bytes: {
    usual: 128 << 10,
    least: 64 << 10,
    most: 16 << 20,
    unit: "bytes",
    what: "one message of an editor to a host",
  },
  event_backlog_bytes: {
    usual: 8 * 1_048_576,
    least: 1_048_576,
    most: 1_073_741_824,
    unit: "bytes",
    what: "changes that are kept for an editor that reads slowly",
  },
} as const satisfies Readonly<Record<string, LimitRow>>;
