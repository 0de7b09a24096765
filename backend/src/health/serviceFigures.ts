import type { RefusalReason } from "@rport/protocol/refusal";
import type { Tally } from "@rport/protocol/wire/relay";
import type { DoorCounters } from "../clients/doorCounters.ts";
import type { LimitState } from "../limits/limits.ts";
import type { SocketCounts } from "../sockets/openSockets.ts";
import { byLabel, type Figure, single } from "./figure.ts";

/** Where the figures about agents, tunnels and people come from. */
export interface ServiceSources {
  readonly clients: () => { readonly connected: number; readonly disconnected: number };
  readonly records: () => Readonly<Record<"client" | "credential" | "pairing" | "join", number>>;
  readonly door: Readonly<DoorCounters>;
  readonly refusals: () => ReadonlyMap<RefusalReason, number>;
  readonly signIns: () => { readonly accepted: number; readonly refused: number };
  readonly userSockets: () => number;
  readonly tunnels: () => { readonly open: number; readonly connections: number };
  readonly terminals: () => { readonly open: number; readonly attached: number };
  /** Bytes of terminals, from viewers to hosts (a to b) and back. */
  readonly terminalBytes: Readonly<Tally>;
  /** How often a terminal could not be recorded that has to be. */
  readonly recordingFailures: () => number;
  readonly relays: { readonly active: number; readonly bytes: number };
  readonly sockets: () => SocketCounts;
  readonly limits: () => readonly LimitState[];
  /** Entries of the audit log that are not on disk yet. */
  readonly auditWaiting: () => number;
}

/** Figures about agents, tunnels and people, and about every limit. */
export function serviceFigures(sources: ServiceSources): readonly Figure[] {
  return [
    ...agentFigures(sources),
    ...tunnelFigures(sources),
    ...terminalFigures(sources),
    ...limitFigures(sources),
  ];
}

function agentFigures(sources: ServiceSources): readonly Figure[] {
  const { clients, records, door, refusals, signIns, userSockets, auditWaiting } = sources;
  return [
    byLabel("state", {
      kind: "gauge",
      name: "clients",
      help: "Clients on record, by whether their agent is connected.",
      read: () => Object.entries(clients()),
    }),
    byLabel("kind", {
      kind: "gauge",
      name: "records",
      help: "What is kept: clients, credentials, open pairings, hosts that wait for approval.",
      read: () => Object.entries(records()),
    }),
    byLabel("result", {
      kind: "counter",
      name: "logins_total",
      help: "Passwords of agents that were checked, by what came of it.",
      read: () => [
        ["accepted", door.acceptedLogins],
        ["refused", door.failedLogins],
      ],
    }),
    byLabel("stage", {
      kind: "counter",
      name: "agents_ended_total",
      help: "Agents' connections that were ended for what they did, before or after their login.",
      read: () => [
        ["before_login", door.beforeLogin],
        ["after_login", door.afterLogin],
      ],
    }),
    byLabel("reason", {
      kind: "counter",
      name: "refusals_total",
      help: "Agents that were not let in, by the reason.",
      read: refusals,
    }),
    byLabel("result", {
      kind: "counter",
      name: "user_requests_total",
      help: "Requests of people that showed a token, by whether it was valid.",
      read: () => Object.entries(signIns()),
    }),
    single("gauge", "user_sockets", {
      help: "WebSockets that people have open: events, and connections of tunnels in the editor.",
      read: userSockets,
    }),
    single("gauge", "audit_entries_waiting", {
      help: "Entries of the audit log that are not on disk yet.",
      read: auditWaiting,
    }),
  ];
}

function tunnelFigures({ tunnels, relays }: ServiceSources): readonly Figure[] {
  return [
    single("gauge", "tunnels", {
      help: "Tunnels that listen on the server.",
      read: () => tunnels().open,
    }),
    single("gauge", "tunnel_connections", {
      help: "Connections through tunnels of the server.",
      read: () => tunnels().connections,
    }),
    single("gauge", "relays", {
      help: "Connections that are carried to agents, those of editors included.",
      read: () => relays.active,
    }),
    single("counter", "relay_bytes_total", {
      help: "Bytes carried between tunnels and agents, both ways.",
      read: () => relays.bytes,
    }),
  ];
}

function terminalFigures({
  terminals,
  terminalBytes,
  recordingFailures,
}: ServiceSources): readonly Figure[] {
  return [
    byLabel("state", {
      kind: "gauge",
      name: "terminals",
      help: "Terminals that people have on hosts, by whether somebody is attached.",
      read: () => {
        const { open, attached } = terminals();
        return [
          ["attached", attached],
          ["detached", open - attached],
        ];
      },
    }),
    byLabel("direction", {
      kind: "counter",
      name: "terminal_bytes_total",
      help: "Bytes carried between terminals of hosts and their viewers.",
      read: () => [
        ["to_host", terminalBytes.bytesAtoB],
        ["from_host", terminalBytes.bytesBtoA],
      ],
    }),
    single("counter", "recording_failures_total", {
      help: "Terminals that have to be recorded and could not be: they were ended, or not opened.",
      read: recordingFailures,
    }),
  ];
}

function limitFigures({ limits, sockets }: ServiceSources): readonly Figure[] {
  return [
    single("gauge", "sockets", {
      help: "Connections from outside, of whatever kind.",
      read: () => sockets().open,
    }),
    single("counter", "sockets_refused_total", {
      help: "Connections from outside that were not taken, or had to make room for others.",
      read: () => sockets().refused,
    }),
    byLabel("limit", {
      kind: "gauge",
      name: "limit_max",
      help: "The number of each limit, as in [limits] of the configuration.",
      read: () => limits().map(({ name, max }) => [name, max]),
    }),
    byLabel("limit", {
      kind: "gauge",
      name: "limit_used",
      help: "How much of a limit is used, where that is known.",
      read: () =>
        limits().flatMap(({ name, used }) => (used === undefined ? [] : [[name, used] as const])),
    }),
    byLabel("limit", {
      kind: "counter",
      name: "limit_bites_total",
      help: "How often a limit kept something out.",
      read: () => limits().map(({ name, bites }) => [name, bites]),
    }),
  ];
}
