import { randomInt } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import type { Clock } from "../platform/clock.ts";

/** Which ports tunnels may listen on. Both ends belong to the range. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** RPort's `used_ports`. */
export const DEFAULT_PORT_RANGE: PortRange = { from: 20_000, to: 30_000 };

/**
 * How long a port rests after its tunnel ended, so that somebody who still has the old address in a
 * client does not end up at another host. Whoever had it last may have it back at once.
 */
const REST_MS = 60_000;

interface Rest {
  readonly owner: string;
  readonly untilMs: number;
}

/**
 * The ports of this server's tunnels: who has one, and who had it a minute ago. It never asks the
 * system which ports are free; listening tells.
 */
export class PortTable {
  readonly #range: PortRange;
  readonly #clock: Clock;
  readonly #taken = new Map<number, string>();
  readonly #resting = new Map<number, Rest>();

  constructor(range: PortRange, clock: Clock) {
    this.#range = range;
    this.#clock = clock;
  }

  /** Takes a random free port. Throws `UNAVAILABLE` when there is none. */
  takeRandom(owner: string): number {
    const { from, to } = this.#range;
    const count = to - from + 1;
    const start = randomInt(count);
    for (let step = 0; step < count; step++) {
      const port = from + ((start + step) % count);
      if (!this.isFree(port)) continue;
      this.#taken.set(port, owner);
      return port;
    }
    throw new RportError("UNAVAILABLE", `All tunnel ports from ${from} to ${to} are in use.`);
  }

  /** Takes a given port. Throws `BAD_REQUEST` outside the range, `ERR_CODE_LOCAL_PORT_IN_USE` else. */
  take(port: number, owner: string): number {
    const { from, to } = this.#range;
    if (port < from || port > to) {
      throw new RportError(
        "BAD_REQUEST",
        `Local port ${port} is not among allowed ports (${from} to ${to}).`,
      );
    }
    if (!this.isFree(port, owner)) {
      throw new RportError("ERR_CODE_LOCAL_PORT_IN_USE", `Local port ${port} already in use.`, {
        detail: this.#taken.has(port) ? "" : "Another tunnel used it less than a minute ago.",
      });
    }
    this.#taken.set(port, owner);
    return port;
  }

  /** Gives a port back; it rests before anybody else gets it. */
  release(port: number): void {
    const owner = this.#taken.get(port);
    if (owner === undefined) return;
    this.#taken.delete(port);
    this.#resting.delete(port);
    this.#resting.set(port, { owner, untilMs: this.#clock.monotonic() + REST_MS });
  }

  /** A port that rests may be taken at once by `to` in the place of `from`: they are the same. */
  pass(port: number, from: string, to: string): void {
    const rest = this.#resting.get(port);
    if (rest?.owner === from) this.#resting.set(port, { ...rest, owner: to });
  }

  /** Whether `owner` could take the port; without an owner: whether anybody could. */
  isFree(port: number, owner?: string): boolean {
    this.#forgetRested();
    if (this.#taken.has(port)) return false;
    const rest = this.#resting.get(port);
    return rest === undefined || rest.owner === owner;
  }

  /** The map is in order of release, so the rested ones are at its front. */
  #forgetRested(): void {
    const nowMs = this.#clock.monotonic();
    for (const [port, rest] of this.#resting) {
      if (rest.untilMs > nowMs) return;
      this.#resting.delete(port);
    }
  }
}
