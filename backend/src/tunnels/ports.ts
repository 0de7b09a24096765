import { randomInt } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import type { Clock } from "../platform/clock.ts";
import type { PortRange, PortRanges } from "../platform/portRanges.ts";
import type { KeptPorts } from "./keptPorts.ts";

/**
 * How long a port that was chosen at random rests after its tunnel ended, so that somebody who still
 * has the old address in a client does not end up at another host. Whoever had it last may have it
 * back at once. A port that somebody chose is theirs to use for what comes next.
 */
const REST_MS = 60_000;

/** Who has a port: the tunnel of a client to a target. */
export interface PortOwner {
  readonly client: string;
  readonly target: string;
}

interface Rest {
  readonly owner: PortOwner;
  readonly untilMs: number;
  /** Called once, when it rests no more; undefined: nobody counts it. */
  readonly onOver: (() => void) | undefined;
}

interface Taken {
  readonly owner: PortOwner;
  readonly isRandom: boolean;
}

/** Which ports are as good as any. */
export interface PortChoice {
  /** Undefined: all that there are for tunnels. */
  readonly among?: PortRanges | undefined;
  /** Only these of them. */
  readonly within?: PortRange | undefined;
  /** Those that turned out to be another program's. */
  readonly except?: ReadonlySet<number>;
  /** Where there is no other, the one that has rested longest is as good as any. */
  readonly mayRest?: boolean;
}

/** How a given port is taken. */
export interface Taking {
  /** Undefined: one of all that there are for tunnels. */
  readonly among?: PortRanges | undefined;
  /** It was chosen at random before. */
  readonly isRandom?: boolean;
}

/** What the table decides by. */
export interface PortTableDeps {
  /** All ports that there are for tunnels. */
  readonly ranges: PortRanges;
  readonly kept: Pick<KeptPorts, "isOthers">;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * The ports of this server's tunnels: who has one, who had it a minute ago, and for whom one is kept.
 * It never asks the system which ports are free; listening tells.
 */
export class PortTable {
  readonly #deps: PortTableDeps;
  readonly #taken = new Map<number, Taken>();
  readonly #resting = new Map<number, Rest>();

  constructor(deps: PortTableDeps) {
    this.#deps = deps;
  }

  /**
   * Takes a random free port of these; one that another client keeps only when there is no other, and
   * only one that it was given at random itself; one that rests only for `mayRest`. Throws `UNAVAILABLE`
   * when there is none, and `BAD_REQUEST` when there could be none.
   */
  takeRandom(owner: PortOwner, choice: PortChoice = {}): number {
    const { kept } = this.#deps;
    const { except, mayRest = false } = choice;
    const among = this.#choice(choice);
    const start = randomInt(Math.max(among.size, 1));
    const isUnkept = (port: number) => !except?.has(port) && !kept.isOthers(port, owner.client);
    const isLoose = (port: number) =>
      !except?.has(port) && !kept.isOthers(port, owner.client, true);
    const port =
      this.#find(among, start, isUnkept) ??
      this.#find(among, start, isLoose) ??
      (mayRest ? this.#longestRested(among, isLoose) : undefined);
    if (port === undefined) {
      throw new RportError("UNAVAILABLE", `All tunnel ports (${among.text}) are in use.`);
    }
    this.#endCounted(port);
    this.#taken.set(port, { owner, isRandom: true });
    return port;
  }

  /** Takes a given port. Throws `BAD_REQUEST` outside these, `ERR_CODE_LOCAL_PORT_IN_USE` else. */
  take(port: number, owner: PortOwner, { among, isRandom = false }: Taking = {}): number {
    requirePort(port, among ?? this.#deps.ranges);
    if (!this.isFree(port, owner)) {
      const title = `Local port ${port} already in use.`;
      throw new RportError("ERR_CODE_LOCAL_PORT_IN_USE", title, { detail: this.#whyNot(port) });
    }
    this.#endCounted(port);
    this.#taken.set(port, { owner, isRandom });
    return port;
  }

  /** Gives a port back that nobody was told of, so that there is nothing to rest for. */
  abandon(port: number): void {
    this.#taken.delete(port);
  }

  /**
   * Gives a port back; one that was chosen at random rests before anybody else gets it. `onOver` is
   * called when it rests no more, or at once: as long as it rests it is nobody else's.
   */
  release(port: number, onOver?: () => void): void {
    const taken = this.#taken.get(port);
    this.#taken.delete(port);
    if (taken?.isRandom !== true) {
      onOver?.();
      return;
    }
    const { owner } = taken;
    this.#endRest(port);
    this.#resting.set(port, { owner, untilMs: this.#deps.clock.monotonic() + REST_MS, onOver });
  }

  /** Lets go of the ports that have rested long enough; asked for a port it does so by itself. */
  settle(): void {
    const nowMs = this.#deps.clock.monotonic();
    // The map is in order of release, so they are at its front.
    for (const [port, { untilMs }] of this.#resting) {
      if (untilMs > nowMs) return;
      this.#endRest(port);
    }
  }

  /** A port that rests may be taken at once by `to` in the place of `from`: they are the same. */
  pass(port: number, from: PortOwner, to: PortOwner): void {
    const rest = this.#resting.get(port);
    if (rest !== undefined && isSame(rest.owner, from)) {
      this.#resting.set(port, { ...rest, owner: to });
    }
  }

  /** Whether `owner` could take the port. */
  isFree(port: number, owner: PortOwner): boolean {
    const rest = this.#restOf(port);
    if (this.#taken.has(port) || this.#deps.kept.isOthers(port, owner.client)) return false;
    return rest === undefined || isSame(rest.owner, owner);
  }

  #choice({ among = this.#deps.ranges, within }: PortChoice): PortRanges {
    if (within === undefined) return among;
    const chosen = among.within(within);
    if (chosen.size > 0) return chosen;
    const title = `Local ports ${within.from} to ${within.to} are not among allowed ports (${among.text}).`;
    throw new RportError("BAD_REQUEST", title);
  }

  #find(among: PortRanges, start: number, fits: (port: number) => boolean): number | undefined {
    const { size } = among;
    for (let step = 0; step < size; step++) {
      const port = among.at((start + step) % size);
      if (port === undefined || this.#taken.has(port) || this.#restOf(port) !== undefined) continue;
      if (fits(port)) return port;
    }
    return undefined;
  }

  #whyNot(port: number): string {
    if (this.#taken.has(port)) return "";
    return this.#restOf(port) === undefined
      ? "It is kept for a tunnel of a client that is away: delete that tunnel first."
      : "Another tunnel used it less than a minute ago.";
  }

  #restOf(port: number): Rest | undefined {
    this.settle();
    return this.#resting.get(port);
  }

  #longestRested(among: PortRanges, fits: (port: number) => boolean): number | undefined {
    for (const port of this.#resting.keys()) if (among.has(port) && fits(port)) return port;
    return undefined;
  }

  /** Whoever takes a port counts anew; where nobody counts, it rests on if it is given back unused. */
  #endCounted(port: number): void {
    if (this.#resting.get(port)?.onOver !== undefined) this.#endRest(port);
  }

  #endRest(port: number): void {
    const rest = this.#resting.get(port);
    this.#resting.delete(port);
    rest?.onOver?.();
  }
}

/** Throws `BAD_REQUEST` unless the port is one of these. */
export function requirePort(port: number, among: PortRanges): void {
  if (among.has(port)) return;
  const title = `Local port ${port} is not among allowed ports (${among.text}).`;
  throw new RportError("BAD_REQUEST", title);
}

function isSame(one: PortOwner, other: PortOwner): boolean {
  return one.client === other.client && one.target === other.target;
}

/** Who has a port, for the table of ports: a client's tunnel to a target. */
export function portOwner(client: string, target: HostPort): PortOwner {
  return { client, target: formatHostPort(target) };
}
