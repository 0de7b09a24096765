import { createHash } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../../limits/limits.ts";

/** A release has two: whoever may bring anything may bring those. */
const OWN_LEAST = 2;

/** What the scripts need. */
export interface ScriptsDeps {
  readonly limits: Pick<Limits, "max" | "bite" | "watch">;
  /** What of all one depositor may have: between 0 and 1. */
  readonly share: number;
  /** The SHA-256 of each script that an open deposit names. */
  readonly named: () => Iterable<string | undefined>;
}

interface Kept {
  readonly script: Buffer;
  /** Who brought it, each of whose share it is in. */
  readonly by: Set<string>;
}

/**
 * Installer scripts that servers brought, by their SHA-256. Those that an open deposit names stay; of the
 * others, the one that was brought longest ago makes room, of the same server where its share is full.
 * Each is bounded in bytes by the door, and so all of them are.
 */
export class Scripts {
  readonly #deps: ScriptsDeps;
  /** Those brought longest ago first. */
  readonly #scripts = new Map<string, Kept>();

  constructor(deps: ScriptsDeps) {
    this.#deps = deps;
    deps.limits.watch("deposit_scripts", () => this.#scripts.size);
  }

  /**
   * Keeps one of a depositor; answers false when it has another SHA-256. Throws `UNAVAILABLE` when open
   * deposits name all that would have to make room.
   */
  keep(sha256: string, script: Buffer, depositor: string): boolean {
    if (createHash("sha256").update(script).digest("hex") !== sha256) return false;
    const known = this.#scripts.get(sha256);
    const by = known?.by ?? new Set<string>();
    if (!by.has(depositor)) this.#makeRoom(depositor, known === undefined);
    by.add(depositor);
    this.#scripts.delete(sha256);
    this.#scripts.set(sha256, { script: known?.script ?? script, by });
    return true;
  }

  /** The script; undefined when nobody brought it, or too many others since. */
  get(sha256: string): Buffer | undefined {
    return this.#scripts.get(sha256)?.script;
  }

  #makeRoom(depositor: string, isNew: boolean): void {
    const max = this.#deps.limits.max("deposit_scripts");
    const mine = Math.max(OWN_LEAST, Math.floor(max * this.#deps.share));
    const own = [...this.#scripts].filter(([, { by }]) => by.has(depositor));
    const isFull = isNew && this.#scripts.size >= max;
    if (own.length < mine && !isFull) return;
    const named = new Set(this.#deps.named());
    const among = own.length < mine ? [...this.#scripts] : own;
    const oldest = among.find(([sha256]) => !named.has(sha256));
    if (oldest === undefined) this.#refuse(depositor);
    const [sha256, { by }] = oldest;
    if (own.length >= mine) by.delete(depositor);
    else by.clear();
    if (by.size === 0) this.#scripts.delete(sha256);
    else if (isFull) this.#makeRoom(depositor, isNew);
  }

  #refuse(depositor: string): never {
    this.#deps.limits.bite("deposit_scripts", { depositor });
    const title =
      "This pairing service has no place for another installer script now: open pairings need those it keeps.";
    throw new RportError("UNAVAILABLE", title);
  }
}
