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
  readonly endMs: number;
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
  /** The one that ends first stands first. */
  readonly #windows = new Map<string, Window>();
  /** One for all of them: in a minute, as many hosts may come back as there are. */
  #timer: Timer | undefined;

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
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const [key, window] of this.#windows) this.#end(key, window);
  }

  #windowOf(wanted: string, shared: string): Window {
    const { clock, keysMax } = this.#deps;
    const isKnown = this.#windows.has(wanted) || this.#windows.size < keysMax;
    const key = isKnown ? wanted : shared;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const endMs = clock.monotonic() + WINDOW_MS;
    const window: Window = { endMs, count: 0, summary: undefined };
    this.#windows.set(key, window);
    this.#timer ??= clock.after(WINDOW_MS, () => this.#endDue());
    return window;
  }

  #endDue(): void {
    this.#timer = undefined;
    const { clock } = this.#deps;
    const nowMs = clock.monotonic();
    for (const [key, window] of this.#windows) {
      if (window.endMs > nowMs) {
        this.#timer = clock.after(window.endMs - nowMs, () => this.#endDue());
        return;
      }
      this.#end(key, window);
    }
  }

  #end(key: string, window: Window): void {
    this.#windows.delete(key);
    if (window.summary === undefined) return;
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
