import type { ShellAccount, Shells } from "../machine/shells.ts";
import type { Log } from "../platform/log.ts";

/** What the accounts of terminals are made of. */
export interface AccountsDeps {
  readonly shells: Pick<Shells, "find">;
  /** Undefined: the agent's own. The first one that is there is the usual one. */
  readonly names: readonly (string | undefined)[];
  /** Told of those that are there, at first and when that has changed. */
  readonly log: Log;
}

/** What the log says of a host that allows terminals, and has none. */
export const CANNOT_OPEN = "terminals are allowed on this host, and cannot be opened";

/** The accounts whose shells may be asked for. */
export class Accounts {
  readonly #deps: AccountsDeps;
  #logged: string | undefined;

  constructor(deps: AccountsDeps) {
    this.#deps = deps;
  }

  /** Those that are there now, in order. */
  async names(): Promise<readonly string[]> {
    const found = await Promise.all(this.#deps.names.map((name) => this.#look(name)));
    const names = found.flatMap((account) => account?.name ?? []);
    this.#tell(names);
    return names;
  }

  /**
   * What the system says of an account now; without a name, of the first one that is there. Undefined:
   * it may not be asked for, is not there, or cannot be looked up.
   */
  async find(name: string | undefined): Promise<ShellAccount | undefined> {
    for (const allowed of this.#deps.names) {
      if (name !== undefined && allowed !== undefined && name !== allowed) continue;
      const found = await this.#look(allowed);
      if (found !== undefined && (name === undefined || found.name === name)) return found;
    }
    return undefined;
  }

  /** Who cannot be looked up is not there as long as that is so. */
  async #look(name: string | undefined): Promise<ShellAccount | undefined> {
    return await this.#deps.shells.find(name).catch(() => undefined);
  }

  /** Whoever wrote an account reads that it is not there. */
  #tell(accounts: readonly string[]): void {
    const { names, log } = this.#deps;
    const told = JSON.stringify(accounts);
    if (told === this.#logged) return;
    this.#logged = told;
    for (const account of names) {
      if (account === undefined || accounts.includes(account)) continue;
      log.warn("an account of terminals is not there", { account });
    }
    if (accounts.length > 0) log.info("terminals are allowed on this host", { accounts });
    else log.warn(CANNOT_OPEN, { reason: "none of the accounts is there" });
  }
}
