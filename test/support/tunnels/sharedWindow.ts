import { join } from "node:path";
import { systemClock } from "../../../extension/src/support/clock.ts";
import type { Log } from "../../../extension/src/support/log.ts";
import type { LocalTunnel } from "../../../extension/src/tunnels/localTunnel.ts";
import { LocalTunnels } from "../../../extension/src/tunnels/localTunnels.ts";
import { MemoryFile } from "../../../extension/src/tunnels/memory/memoryFile.ts";
import { SharedTunnels } from "../../../extension/src/tunnels/sharedTunnels.ts";

/** The server of all tunnels below. */
export const RELAY = "https://relay.example.com";

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** How a window differs from others. */
export interface SharedWindowOptions {
  readonly workspace?: string;
  /** Where it shows tunnels that are not open; everywhere when it is left out. */
  readonly isOffered?: (tunnel: LocalTunnel) => boolean;
  readonly log?: Log;
}

/** The tunnels of a window of an editor with this storage folder; nobody can get into its server. */
export function sharedWindow(storage: string, options: SharedWindowOptions = {}): SharedTunnels {
  const { workspace = "", isOffered = () => true, log = silent } = options;
  const access = async () => ({ kind: "noToken" }) as const;
  const deps = { accessTo: () => access, clock: systemClock, log };
  const memory = new MemoryFile({ path: join(storage, "tunnels.json"), log });
  return new SharedTunnels({
    storage,
    memory,
    workspace: () => workspace,
    isOffered,
    hold: () => new LocalTunnels({ ...deps, memory }),
    clock: systemClock,
    log,
  });
}

/** A tunnel to PostgreSQL on a host. */
export function request(port: number, localPort?: number) {
  const remote = { host: "127.0.0.1", port };
  const client = { clientId: "machine-3", clientName: "db-01" };
  return { ...client, serverKey: RELAY, remote, localPort, isThisComputer: false };
}
