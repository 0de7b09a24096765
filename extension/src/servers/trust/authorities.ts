import { getCACertificates, rootCertificates } from "node:tls";
import { type AuthorityFile, authorityPath, readAuthorities } from "./authorityFile.ts";

/** What authorities are read with. */
export interface AuthoritiesDeps {
  /** What the person's setting says; empty: nothing. */
  readonly setting: () => string;
  readonly homeDirectory: string;
}

/**
 * Who may vouch for servers beside those whom this computer trusts: the certificates of a file that the person's
 * settings name. It never makes anybody trusted less, nor anything unchecked.
 */
export class Authorities {
  readonly #deps: AuthoritiesDeps;
  #path = "";
  #file: AuthorityFile | undefined;
  #all: readonly string[] = [];

  constructor(deps: AuthoritiesDeps) {
    this.#deps = deps;
  }

  /**
   * All that may vouch for a server, each as PEM; undefined when nobody does beside those whom the editor knows
   * anyway. The file is read again when it has changed. Throws `BAD_REQUEST` with what is wrong with it: nobody is to
   * be connected to over something else than was meant.
   */
  async get(): Promise<readonly string[] | undefined> {
    const setting = this.#deps.setting().trim();
    if (setting === "") return undefined;
    const path = authorityPath(setting, this.#deps.homeDirectory);
    const before = path === this.#path ? this.#file : undefined;
    const file = await readAuthorities(path, before);
    if (file !== before) {
      this.#all = [...usual(), ...file.certificates];
      this.#path = path;
      this.#file = file;
    }
    return this.#all;
  }
}

/** A list given to a connection takes the place of those whom it would trust without one. */
function usual(): readonly string[] {
  if (typeof getCACertificates !== "function") return rootCertificates;
  return [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
}
