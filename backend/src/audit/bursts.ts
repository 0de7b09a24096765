import { Budget } from "../platform/budget.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Audit, AuditEntry } from "./entry.ts";

/** What bursts are limited by. */
export interface BurstsDeps {
  readonly audit: Pick<Audit, "note">;
  readonly clock: Clock;
  /** Entries per key and window that are written one by one. */
  readonly max?: number;
  /** How long a key's entries are taken together. */
  readonly windowMs?: number;
  /** Keys told apart; the others share one per kind of entry, so that a flood of addresses stays bounded, too. */
  readonly keysMax?: number;
  /** How many of them are new in an hour, beside `keysMax` at once; absent: any number. */
  readonly keysPerHour?: number;
}

const MAX = 5;
const KEYS_MAX = 1_000;
const WINDOW_MS = 60_000;
const HOUR_S = 3_600;

interface Window {
  readonly endMs: number;
  count: number;
  /** Where the entry goes that counts the others. */
  to: Pick<Audit, "note">;
  /** The entry that says how many more there were; only what all of them have in common. */
  summary: AuditEntry | undefined;
}

/**
 * Entries that somebody outside can cause at any rate: the first few of a minute, or of whatever time
 * is given, are written, then one that counts the others.
 */
export class Bursts {
  readonly #deps: Required<BurstsDeps>;
  /** The one that ends first stands first. */
  readonly #windows = new Map<string, Window>();
  readonly #keys: Budget<"all">;
  /** One for all of them: in a minute, as many hosts may come back as there are. */
  #timer: Timer | undefined;

  constructor({
    max = MAX,
    windowMs = WINDOW_MS,
    keysMax = KEYS_MAX,
    keysPerHour = Number.POSITIVE_INFINITY,
    ...deps
  }: BurstsDeps) {
    this.#deps = { ...deps, max, windowMs, keysMax, keysPerHour };
    this.#keys = new Budget({ clock: deps.clock, keysMax: 1 });
  }

  /** Writes the entry, or counts it. `key` says what it is limited by; `to` is the log unless given. */
  note(key: string, entry: AuditEntry, to = this.#deps.audit): void {
    const { max } = this.#deps;
    const window = this.#windowOf(key, `others ${entry.application} ${entry.action}`);
    window.count += 1;
    window.to = to;
    if (window.count <= max) to.note(entry);
    else window.summary = common(window.summary ?? entry, entry);
  }

  /** Whether the next entry under this key would only be counted. */
  isCounting(key: string): boolean {
    return (this.#windows.get(key)?.count ?? 0) >= Math.max(1, this.#deps.max);
  }

  /** Writes all that was counted so far. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const [key, window] of this.#windows) this.#end(key, window);
  }

  #windowOf(wanted: string, shared: string): Window {
    const { audit, clock, windowMs } = this.#deps;
    const key = this.#isToldApart(wanted) ? wanted : shared;
    const known = this.#windows.get(key);
    if (known !== undefined) return known;
    const endMs = clock.monotonic() + windowMs;
    const window: Window = { endMs, count: 0, to: audit, summary: undefined };
    this.#windows.set(key, window);
    this.#timer ??= clock.after(windowMs, () => this.#endDue());
    return window;
  }

  /** Whoever has a /48 has ever other networks: they are new each minute, and soon nobody's. */
  #isToldApart(key: string): boolean {
    if (this.#windows.has(key)) return true;
    const { keysMax, keysPerHour } = this.#deps;
    if (this.#windows.size >= keysMax) return false;
    if (keysPerHour === Number.POSITIVE_INFINITY) return true;
    return this.#keys.spend("all", 1, { burst: keysMax, perSecond: keysPerHour / HOUR_S }) === 0;
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
    const { max, windowMs } = this.#deps;
    const response = { more: window.count - max, within_seconds: windowMs / 1_000 };
    window.to.note({ ...window.summary, response });
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
