import type { AuditLog } from "../audit/log.ts";
import type { DoorCounters } from "../clients/doorCounters.ts";
import type { Refusals } from "../clients/refusals.ts";
import { Figures } from "../health/figures.ts";
import type { LoopDelay } from "../health/loopDelay.ts";
import { processFigures } from "../health/processFigures.ts";
import { Readiness } from "../health/readiness.ts";
import { type ServiceSources, serviceFigures } from "../health/serviceFigures.ts";
import { tlsFigures } from "../health/tlsFigures.ts";
import type { UserSockets } from "../http/userSockets.ts";
import type { Pairings } from "../pairing/pairings.ts";
import type { DataPaths } from "../store/files/dataDirectory.ts";
import type { RequireHeld } from "../store/files/durableFile.ts";
import type { Database } from "../store/sqlite/database.ts";
import type { OpenTls } from "../tls/openTls.ts";
import type { UserGate } from "../users/gate.ts";
import type { Bounds } from "./openBounds.ts";
import type { Records } from "./openRecords.ts";
import type { OpenedTerminals } from "./openTerminals.ts";
import type { Tunnels } from "./openTunnels.ts";
import type { ServicesOptions } from "./servicesOptions.ts";

/** What health and figures are read from. */
export interface HealthDeps extends Bounds, Pick<Records, "registry" | "credentials"> {
  readonly paths: Pick<DataPaths, "directory">;
  readonly requireHeld: RequireHeld;
  readonly database: Pick<Database, "all">;
  readonly audit: AuditLog;
  readonly refusals: Pick<Refusals, "totals">;
  readonly pairings: Pick<Pairings, "list">;
  readonly tunnels: Pick<Tunnels["tunnels"], "list">;
  readonly relays: Tunnels["relays"];
  readonly terminals: Pick<OpenedTerminals["terminals"], "counts">;
  readonly terminalBytes: OpenedTerminals["terminalBytes"];
  readonly recordings: Pick<OpenedTerminals["recordings"], "failures">;
  readonly gate: Pick<UserGate, "counters">;
  readonly door: DoorCounters;
  readonly userSockets: Pick<UserSockets, "size">;
  readonly loopDelay: LoopDelay;
  readonly tls: Pick<OpenTls, "views" | "handshakes">;
}

/** Whether the server can do its work, and its figures. */
export interface Health {
  readonly readiness: Readiness;
  readonly figures: Figures;
}

/** Puts together what tells how the server is. */
export function openHealth({ clock, log, descriptors }: ServicesOptions, deps: HealthDeps): Health {
  const { paths, requireHeld, database, audit, loopDelay } = deps;
  const { directory } = paths;
  const readiness = new Readiness({ directory, requireHeld, database, audit, clock, log });
  const figures = [
    ...serviceFigures(sourcesOf(deps)),
    ...tlsFigures({ certificates: deps.tls.views, handshakes: deps.tls.handshakes }),
    ...processFigures({ readiness, loopDelay, descriptors }),
  ];
  return { readiness, figures: new Figures(figures) };
}

function sourcesOf(deps: HealthDeps): ServiceSources {
  const { registry, refusals, gate, door, userSockets, relays, limits, sockets, audit } = deps;
  return {
    clients: () => registry.counts,
    records: () => recordsOf(deps),
    door,
    refusals: () => refusals.totals,
    signIns: () => gate.counters,
    userSockets: () => userSockets.size,
    tunnels: () => tunnelsOf(deps),
    terminals: () => deps.terminals.counts,
    terminalBytes: deps.terminalBytes,
    recordingFailures: () => deps.recordings.failures,
    relays,
    sockets: () => sockets.counts,
    limits: () => limits.states(),
    auditWaiting: () => audit.waiting,
  };
}

function recordsOf({ registry, credentials, pairings }: HealthDeps) {
  const { connected, disconnected } = registry.counts;
  return {
    client: connected + disconnected,
    credential: credentials.count,
    pairing: pairings.list().filter(({ state }) => state === "active").length,
    join: credentials.joins.list().length,
  };
}

function tunnelsOf({ tunnels }: HealthDeps) {
  const open = tunnels.list();
  const connections = open.reduce((sum, tunnel) => sum + tunnel.connections, 0);
  return { open: open.length, connections };
}
