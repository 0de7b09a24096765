import type { LimitRow } from "./limitRow.ts";
import { PEOPLE_LIMITS } from "./peopleLimits.ts";
import { SESSION_LIMITS } from "./sessionLimits.ts";

/**
 * Every limit that somebody can meet, by its key in `[limits]` of the configuration. A new one is a
 * row here, a row of the same name in docs/configuration.md, and `Limits.bite` where it bites.
 */
export const LIMITS = {
  ...PEOPLE_LIMITS,
  sockets: {
    usual: 24_000,
    least: 16,
    most: 1_000_000,
    unit: "count",
    what: "connections of agents, people, installers and tunnels; fewer where the process may not have so many descriptors",
  },
  sockets_kept_for_people: {
    usual: 128,
    least: 1,
    most: 10_000,
    unit: "count",
    what: "how many of these agents and tunnels leave free; a quarter at the most",
  },
  sockets_per_network: {
    usual: 2_000,
    least: 8,
    most: 1_000_000,
    unit: "count",
    what: "those of one network, proxies apart, that have not come as far as an agent's login or a token",
  },
  silent_sockets_per_network: {
    usual: 32,
    least: 1,
    most: 65_536,
    unit: "count",
    what: "connections of one network, proxies apart, that have been open for a second and have asked for nothing yet",
  },
  descriptors_kept: {
    usual: 128,
    least: 64,
    most: 10_000,
    unit: "count",
    what: "descriptors of the process that are not for connections: log, database, files",
  },
  pipelined_requests: {
    usual: 8,
    least: 1,
    most: 1_024,
    unit: "count",
    what: "requests that one connection sends without waiting for their answers; beyond it the connection ends",
  },
  body_pieces: {
    usual: 1_024,
    least: 64,
    most: 65_536,
    unit: "count",
    what: "pieces that the body of a request comes in; beyond it the connection ends",
  },
  body_bytes: {
    usual: 64 << 20,
    least: 1 << 20,
    most: 64 * 2 ** 30,
    unit: "bytes",
    what: "memory for bodies of requests that come in and were not used yet; each piece counts 400 more",
  },
  body_bytes_per_network: {
    usual: 16 << 20,
    least: 256 << 10,
    most: 64 * 2 ** 30,
    unit: "bytes",
    what: "the same from one network, proxies apart",
  },
  unread_bytes: {
    usual: 134_217_728,
    least: 1_048_576,
    most: 17_179_869_184,
    unit: "bytes",
    what: "bytes that have arrived and wait for their turn to be read; beyond it the connection that they came from ends",
  },
  response_stall_ms: {
    usual: 30_000,
    least: 100,
    most: 3_600_000,
    unit: "ms",
    what: "how long a response may make no progress because nobody reads it",
  },
  downloads: {
    usual: 50,
    least: 1,
    most: 10_000,
    unit: "count",
    what: "downloads of the agent at once; when all are taken, one slower than 8 KiB a second makes room, or one of the network that has most",
  },
  pairings: {
    usual: 1_000,
    least: 4,
    most: 100_000,
    unit: "count",
    what: "pairings that can be claimed at once; at a pairing service apart from servers, a quarter of them for one listed server, a sixteenth for one network where there is no list",
  },
  deposit_bytes: {
    usual: 64 << 20,
    least: 4 << 20,
    most: 64 * 2 ** 30,
    unit: "bytes",
    what: "at a pairing service apart from servers: memory for what was deposited, and for what has happened with it; a quarter of it for one listed server, a sixteenth for one network where there is no list",
  },
  deposit_scripts: {
    usual: 64,
    least: 8,
    most: 10_000,
    unit: "count",
    what: "at a pairing service apart from servers: installer scripts that servers brought; a quarter of them for one listed server, a sixteenth for one network where there is no list. Those that open pairings name stay",
  },
  pairing_questions: {
    usual: 256,
    least: 4,
    most: 65_536,
    unit: "count",
    what: "at a pairing service apart from servers: questions of servers that wait for news; a quarter of them from one network",
  },
  log_buffer_bytes: {
    usual: 4_194_304,
    least: 65_536,
    most: 1_073_741_824,
    unit: "bytes",
    what: "lines of the log that wait for who reads them; beyond that they are dropped, and counted",
  },
  clients: {
    usual: 20_000,
    least: 1,
    most: 1_000_000,
    unit: "count",
    what: "hosts on record; those that are come back in any case",
  },
  clients_per_credential: {
    usual: 15_000,
    least: 1,
    most: 1_000_000,
    unit: "count",
    what: "those of one credential, so that one stolen secret leaves room for the hosts of others",
  },
  record_bytes: {
    usual: 256 << 20,
    least: 1 << 20,
    most: 64 * 2 ** 30,
    unit: "bytes",
    what: "what all hosts together have on record; a usual one has 1 to 3 kB",
  },
  record_bytes_per_credential: {
    usual: 64 << 20,
    least: 64 << 10,
    most: 64 * 2 ** 30,
    unit: "bytes",
    what: "the same of the hosts of one credential",
  },
  waiting_agent_passwords: {
    usual: 64,
    least: 4,
    most: 65_536,
    unit: "count",
    what: "typed passwords of agents that wait to be checked, two at a time; when all places are taken, the networks that have most make room",
  },
  waiting_agent_passwords_per_network: {
    usual: 16,
    least: 1,
    most: 65_536,
    unit: "count",
    what: "the same from one network",
  },
  connection_entries_per_client: {
    usual: 10,
    least: 1,
    most: 10_000,
    unit: "count",
    what: "entries of the audit log about one client's connections in an hour, of each kind; one more counts the others",
  },
  connection_entries_per_credential: {
    usual: 15_000,
    least: 10,
    most: 1_000_000,
    unit: "count",
    what: "those of all clients of one credential, and of claims of its pairings, at once and in a day; beyond it one an hour of each kind counts the others",
  },
  connection_entry_bytes_per_credential: {
    usual: 10 << 20,
    least: 64 << 10,
    most: 64 * 2 ** 30,
    unit: "bytes",
    what: "what those entries take together at once, and in a day; beyond it the same",
  },
  new_clients_alarm: {
    usual: 200,
    least: 1,
    most: 1_000_000,
    unit: "count",
    what: "new hosts of one credential in ten minutes, or its own joins a minute, that are not pointed out",
  },
  ...SESSION_LIMITS,
} as const satisfies Readonly<Record<string, LimitRow>>;

/** The key of a limit. */
export type LimitName = keyof typeof LIMITS;

/** A number for each limit. */
export type LimitValues = Readonly<Record<LimitName, number>>;

/** All keys, in the order of the table. */
export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];

/** Numbers for some limits: where they differ from the usual. */
export type SetLimits = { readonly [N in LimitName]?: number | undefined };
