import type { ClientId } from "@rport/protocol/ids";
import type { TerminalId } from "@rport/protocol/terminal/terminal";
import { TerminalPlaces, type TerminalPlacesDeps } from "./terminalPlaces.ts";

/** Whoever looks at a terminal. */
export interface Viewer {
  /** Ends what carries it, with a close code and a sentence; its terminal stays. */
  leave(code: number, reason: string): void;
}

/** Whoever is attached to a terminal. */
export interface AttachedViewer extends Viewer {
  /** The terminal is over; it is shown the rest of it, for a while. */
  over(): void;
}

/** A terminal that a host has, as far as this server knows. */
export interface OpenTerminal {
  readonly id: TerminalId;
  readonly clientId: ClientId;
  /** `Sharer.accountId` of whoever opened it. */
  readonly owner: string;
  /** Their name at that time. */
  readonly ownerName: string;
  /** From where; undefined: before this server started. */
  readonly address: string | undefined;
  /** Of the host, as its agent says. */
  account: string;
  readonly startedAtMs: number;
  /** Undefined: nobody is attached. */
  viewer: AttachedViewer | undefined;
  /** Those who are about to look at it, in the place of whoever does. */
  readonly takers: Set<Viewer>;
  /** How it is to end; told to its host, or as soon as that is back. */
  ending: "closed" | "forbidden" | undefined;
}

/**
 * Every terminal that hosts have, in memory: after a restart hosts say which those are. One that
 * nobody is attached to has its place, too, and one that is over as long as somebody looks at it.
 */
export class TerminalTable {
  readonly places: TerminalPlaces<OpenTerminal>;
  readonly #byId = new Map<TerminalId, OpenTerminal>();
  readonly #byClient = new Map<ClientId, Set<OpenTerminal>>();

  constructor(deps: TerminalPlacesDeps) {
    this.places = new TerminalPlaces(deps);
  }

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  get(id: TerminalId): OpenTerminal | undefined {
    return this.#byId.get(id);
  }

  /** Whether it is this one that is there. */
  has(terminal: OpenTerminal): boolean {
    return this.#byId.get(terminal.id) === terminal;
  }

  all(): readonly OpenTerminal[] {
    return [...this.#byId.values()];
  }

  of(clientId: ClientId): readonly OpenTerminal[] {
    return [...(this.#byClient.get(clientId) ?? [])];
  }

  /** Is there from now on, and has a place. */
  add(terminal: OpenTerminal): void {
    this.places.take(terminal);
    this.#enter(terminal);
  }

  /** The same for one that only its host speaks of. Throws as `TerminalPlaces.takeTold`. */
  addTold(terminal: OpenTerminal): void {
    this.places.takeTold(terminal);
    this.#enter(terminal);
  }

  /** Is there no more. */
  remove(terminal: OpenTerminal): void {
    const { id, clientId } = terminal;
    if (!this.has(terminal)) return;
    this.#byId.delete(id);
    const ofClient = this.#byClient.get(clientId);
    ofClient?.delete(terminal);
    if (ofClient?.size === 0) this.#byClient.delete(clientId);
    this.vacate(terminal);
  }

  /** Its place is free, unless it is there or somebody looks at it. */
  vacate(terminal: OpenTerminal): void {
    if (!this.has(terminal) && !isSeen(terminal)) this.places.leave(terminal);
  }

  #enter(terminal: OpenTerminal): void {
    const { id, clientId } = terminal;
    this.#byId.set(id, terminal);
    const ofClient = this.#byClient.get(clientId) ?? new Set();
    this.#byClient.set(clientId, ofClient.add(terminal));
  }
}

/** Whether somebody looks at it, or is about to. */
export function isSeen({ viewer, takers }: Pick<OpenTerminal, "viewer" | "takers">): boolean {
  return viewer !== undefined || takers.size > 0;
}
