import type { ClientPart } from "../model/rows/clientParts.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { ClientsSource } from "./clients.ts";
import type { LastTree } from "./lastShown/lastTree.ts";

/** What a row is described from. */
export interface RowContext {
  readonly fleet: Fleet;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Days after which a secret counts as old; without it, or with 0, none does. */
  readonly warnAfterDays?: () => number;
  /** What stands behind a client's name in the clients view; without it, what is usual. */
  readonly clientParts?: () => readonly ClientPart[];
  /** What is in a group of the clients view; without it, none is shown. */
  readonly groups?: Pick<ClientsSource, "sizeOf" | "outageRow" | "isFiltered">;
  /** Whether a client stands above the others; without it, none does. */
  readonly isPinned?: (serverKey: string, clientId: string) => boolean;
  /** What clients' rows said last time; without it, nothing is known of that. */
  readonly last?: Pick<LastTree, "rowOf">;
}

/** The context with the server's clock in place of this computer's: the server's instants are told by that. */
export function timedBy({ time: { aheadMs } }: Server, context: RowContext): RowContext {
  return aheadMs === 0 ? context : { ...context, now: () => context.now() + aheadMs };
}
