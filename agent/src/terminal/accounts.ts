import type { ShellAccount, Shells } from "../machine/shells.ts";
import { type Clock, sleep } from "../platform/clock.ts";
import { troubleOf } from "../platform/descriptors.ts";
import type { Log } from "../platform/log.ts";

/** A server cuts whoever has not said within 30 s who they are, also where a directory does not answer. */
const LOOK_MS = 5_000;

/** What the accounts of terminals are made of. */
export interface AccountsDeps {
  readonly shells: Pick<Shells, "find">;
  /** Undefined: the agent's own. The first one that is there is the usual one. */
  readonly names: readonly (string | undefined)[];
  readonly clock: Clock;
  /** Told of those that are there, at first and when that has changed. */
  readonly log: Log;
}

/** What the log says of a host that allows terminals, and has none. */
export const CANNOT_OPEN = "terminals are allowed on this host, and cannot be opened";

const WHY_NONE = {
  accounts: "none of the accounts is there",
  system: "no account can be looked up",
} as const;

/** The accounts whose shells may be asked for. */
export class Accounts {
  readonly #deps: AccountsDeps;
  /** What each was called when it was there the last time that somebody looked. */
  readonly #known = new Map<string | undefined, string>();
  /** Those that could not be looked up the last time that somebody looked. */
  readonly #unsure = new Set<string | undefined>();
  #logged: string | undefined;

  constructor(deps: AccountsDeps) {
    this.#deps = deps;
  }

  /** Those that are there now, in order. Who cannot be looked up, or not within 5 s, is as the last time. */
  async names(): Promise<readonly string[]> {
    await Promise.all(this.#deps.names.map((name) => this.#learn(name)));
    const names = this.#deps.names.flatMap((name) => this.#known.get(name) ?? []);
    this.#tell(names);
    return names;
  }

  /** Why there are none, once `names` has found none. */
  get whyNone(): "accounts" | "system" {
    const areMissing = this.#deps.names.every(
      (name) => name !== undefined && !this.#unsure.has(name),
    );
    return areMissing ? "accounts" : "system";
  }

  /**
   * What the system says of an account now; without a name, of the first one that is there. Undefined:
   * it may not be asked for, or is not there. Rejects where it might be one that cannot be looked up: who names none
   * gets nobody's shell in the place of the usual one's.
   */
  async find(name: string | undefined): Promise<ShellAccount | undefined> {
    const troubles: unknown[] = [];
    for (const allowed of this.#deps.names) {
      if (name !== undefined && !this.#mayBe(name, allowed)) continue;
      const found = await this.#deps.shells.find(allowed).catch((error: unknown) => {
        if (name === undefined) throw error;
        troubles.push(error);
        return undefined;
      });
      if (found !== undefined && (name === undefined || found.name === name)) return found;
    }
    if (troubles.length > 0) throw troubles[0];
    return undefined;
  }

  /** A directory may call an account otherwise than whoever allowed it. */
  #mayBe(name: string, allowed: string | undefined): boolean {
    return allowed === undefined || name === allowed || name === this.#known.get(allowed);
  }

  async #learn(name: string | undefined): Promise<void> {
    const { shells, clock, log } = this.#deps;
    const over = new AbortController();
    const looked = shells.find(name).then(
      (account) => ({ account }),
      (error: unknown) => ({ reason: troubleOf(error) }),
    );
    const found = await Promise.race([looked, sleep(clock, LOOK_MS, over.signal)]);
    over.abort();
    const fields = { account: name ?? "the agent's own" };
    this.#unsure.delete(name);
    if (found === undefined) {
      this.#unsure.add(name);
      log.warn("an account of terminals cannot be looked up in time", fields);
    } else if ("reason" in found) {
      const { reason } = found;
      this.#unsure.add(name);
      log.warn("an account of terminals cannot be looked up", { ...fields, reason });
    } else if (found.account === undefined) this.#known.delete(name);
    else this.#known.set(name, found.account.name);
  }

  /** Whoever wrote an account reads that it is not there. */
  #tell(accounts: readonly string[]): void {
    const { names, log } = this.#deps;
    const told = JSON.stringify(accounts);
    if (told === this.#logged) return;
    this.#logged = told;
    for (const account of names) {
      if (account === undefined || this.#known.has(account) || this.#unsure.has(account)) continue;
      log.warn("an account of terminals is not there", { account });
    }
    if (accounts.length > 0) log.info("terminals are allowed on this host", { accounts });
    else log.warn(CANNOT_OPEN, { reason: WHY_NONE[this.whyNone] });
  }
}
