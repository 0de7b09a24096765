import type { Socket } from "node:net";
import { type Clock, pause } from "../../support/clock.ts";
import type { Log } from "../../support/log.ts";
import { meetKeeper } from "./handshake.ts";
import type { OwnSeat } from "./ownSeat.ts";
import { takeSeat } from "./seat.ts";
import { windowsKey } from "./windowsKey.ts";

/** Windows that are closed hang up now and then; whoever does so each time is none. */
const TRIES = 100;
const PAUSE_MS = 50;

/** Where windows meet, and with what. */
export interface MeetDeps {
  /** The folder that all windows share. */
  readonly storage: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The window that has the seat, which has proven to be one of this person; its socket is paused. */
export interface KnownKeeper {
  readonly socket: Socket;
  /** What it speaks, of `VERSION`. */
  readonly version: number;
}

/**
 * Takes the seat, or reaches the window that has it and proves to it to be another one. Rejects when they
 * cannot meet: also when who listens there has not proven to be a window of the same person. A name is no
 * proof: on Windows every user of the computer can give it to a pipe.
 */
export async function meetWindows({
  storage,
  clock,
  log,
}: MeetDeps): Promise<OwnSeat | KnownKeeper> {
  const key = () => windowsKey(storage, log);
  for (let left = TRIES; left > 0; left -= 1) {
    const known = await key();
    const found = await takeSeat(storage, { key, clock, log });
    if (!("socket" in found)) return found;
    const met = await meetKeeper({ ...found, key: async () => known, clock });
    if (met.kind === "proven") return { socket: found.socket, version: met.version };
    // The key that was read before may have been broken, or taken for broken, and made anew since.
    const isSameKey = known.equals(await key());
    if (met.kind === "unproven" && isSameKey) {
      const { seat } = found;
      throw new Error(`who listens at ${seat} has not proven to be a window of yours: ${met.why}`);
    }
    await pause(PAUSE_MS, clock);
  }
  throw new Error("who listens where the windows meet hangs up on everybody");
}
