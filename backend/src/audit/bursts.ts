import type { Clock, Timer } from "../platform/clock.ts";
import type { Audit, AuditEntry } from "./entry.ts";

/** What bursts are limited by. */
export interface BurstsDeps {
  readonly audit: Pick<Audit, "note">;
  readonly clock: Clock;
  /** Entries per key and window that are written one by one. */
  readonly max?: number;
  /** Keys told apart; the others share one per kind of entry, so that a flood of addresses stays bounded, too. */
  readonly keysMax?: number;
}

const MAX = 5;
const KEYS_MAX = 1_000;
const WINDOW_MS = 60_000;

interface Window {
  readonly timer: Timer;
  count: number;
  /** The entry that says how many more there were; only what all of them have in common. */
  summary: AuditEntry | undefined;
}

/**
 * Entries that somebody outside can cause at any rate: the first few of a minute are written, then
 * one that counts the others.
 */
export class Bursts {
  readonly #deps: Required<BurstsDeps>;
  readonly #windows = new Map<string, Window>();

  constructor({ audit, clock, max = MAX, keysMax = KEYS_MAX }: BurstsDeps) {
    this.#deps = { audit, clock, max, keysMax };
  }

  /** Writes the entry, or counts it. `key` says what it is limited by. */
  note(key: string, entry: AuditEntry): void {
    const { audit, max } = this.#deps;
    const window = this.#windowOf(key, `others ${entry.application} ${entry.action}`);
    window.count += 1;
    if (window.count <= max) audit.note(entry);
    else window.summary = common(window.summary ?? entry, entry);
  }

  /** Writes all that was counted so far. */
  close(): void {
    for (const key of [...this.#windows.keys()]) this.#end(key);
  }

  #windowOf(wanted: string, shared: string): Window {
    const { clock, keysMax } = this.#deps;
    const isKnown = this.#windows.has(wanted) || this.#windows.size < keysMax;
    const key = isKnown ? wanted : shared;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const timer = clock.after(WINDOW_MS, () => this.#end(key));
    const window: Window = { timer, count: 0, summary: undefined };
    this.#windows.set(key, window);
    return window;
  }

  #end(key: string): void {
    const window = this.#windows.get(key);
    this.#windows.delete(key);
    window?.timer.cancel();
    if (window?.summary === undefined) return;
    const more = window.count - this.#deps.max;
    this.#deps.audit.note({ ...window.summary, response: { more, within_seconds: 60 } });
  }
}

function common(one: AuditEntry, other: AuditEntry): AuditEntry {
  const same = (key: "user" | "remoteIp" | "affectedId" | "clientId" | "clientHostname") =>
    one[key] === other[key] ? one[key] : undefined;
  return {
    application: one.application,
    action: one.action,
    user: same("user"),
    remoteIp: same("remoteIp"),
    affectedId: same("affectedId"),
    clientId: same("clientId"),
    clientHostname: same("clientHostname"),
  };
}
