import type { AccessSource } from "../api/access.ts";
import type { ServiceKind } from "../model/tunnels/greeting.ts";
import type { Clock } from "../support/clock.ts";
import type { Log } from "../support/log.ts";
import type { TunnelMemory } from "./memory/memoryFile.ts";

/** What tunnels need from their surroundings. */
export interface LocalTunnelsDeps {
  /** How to get into a server; undefined when it is not configured. */
  readonly accessTo: (serverKey: string) => AccessSource | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** What lasts; without it nothing does. */
  readonly memory?: TunnelMemory;
  /** Finds out what is behind a port of this computer that leads to that port of a host; without it nothing is. */
  readonly look?:
    | ((localPort: number, remotePort: number) => Promise<ServiceKind | undefined>)
    | undefined;
  /** Where a tunnel that is opened now listens; without it, on 127.0.0.1. Throws why it cannot. */
  readonly bindAddress?: (() => string) | undefined;
  /** After how long without a connection a tunnel is closed, in milliseconds; 0, or without it: never. */
  readonly idleLimitMs?: (() => number) | undefined;
}
