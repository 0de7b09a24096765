import { createHash } from "node:crypto";
import { RecentMap } from "../../platform/recentMap.ts";

/** Releases whose scripts are kept; each has two. */
const SCRIPTS_MAX = 64;

/** Installer scripts that servers brought, by their SHA-256; those brought longest ago go first. */
export class Scripts {
  readonly #scripts = new RecentMap<string, Buffer>(SCRIPTS_MAX);

  /** Keeps one; answers false when it has another SHA-256. */
  keep(sha256: string, script: Buffer): boolean {
    if (createHash("sha256").update(script).digest("hex") !== sha256) return false;
    this.#scripts.set(sha256, script);
    return true;
  }

  /** The script; undefined when nobody brought it, or too many others since. */
  get(sha256: string): Buffer | undefined {
    return this.#scripts.get(sha256);
  }
}
