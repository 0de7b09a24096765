import type { ShellAccount, Shells } from "../machine/shells.ts";

/** The accounts whose shells may be asked for. */
export class Accounts {
  readonly #shells: Pick<Shells, "find">;
  /** Undefined: the agent's own. */
  readonly #names: readonly (string | undefined)[];

  /** The first one is the usual one. */
  constructor(shells: Pick<Shells, "find">, names: readonly (string | undefined)[]) {
    this.#shells = shells;
    this.#names = names;
  }

  /** Those that are there now, in order. */
  async names(): Promise<readonly string[]> {
    const found = await Promise.all(this.#names.map((name) => this.#look(name)));
    return found.flatMap((account) => account?.name ?? []);
  }

  /**
   * What the system says of an account now; without a name, of the first one that is there. Undefined:
   * it may not be asked for, is not there, or cannot be looked up.
   */
  async find(name: string | undefined): Promise<ShellAccount | undefined> {
    for (const allowed of this.#names) {
      if (name !== undefined && allowed !== undefined && name !== allowed) continue;
      const found = await this.#look(allowed);
      if (found !== undefined && (name === undefined || found.name === name)) return found;
    }
    return undefined;
  }

  /** Who cannot be looked up is not there as long as that is so. */
  async #look(name: string | undefined): Promise<ShellAccount | undefined> {
    return await this.#shells.find(name).catch(() => undefined);
  }
}
