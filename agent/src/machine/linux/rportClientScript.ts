import { chmod, readFile, rename, stat } from "node:fs/promises";
import { isPresent } from "../placing.ts";
import { PREDECESSOR } from "../supervisor.ts";
import type { Undo } from "../undo.ts";

/**
 * The lines by which a script starts RPort's client with the configuration of its package: as RPort's
 * installer writes it for OpenRC, and as its client writes it for the older init.
 */
const CLIENT: readonly (readonly RegExp[])[] = [
  [
    /^command=(["']?)\/(?:[\w.-]+\/)*rport\1$/m,
    /^command_args=(["'])(?:-c|--config)[ =]\/etc\/rport\/rport\.conf\1$/m,
  ],
  [/^cmd="\/(?:[\w.-]+\/)*rport "?(?:-c|--config)"?[ =]"?\/etc\/rport\/rport\.conf"?"$/m],
];
/** Nothing that looks for services takes it for one. */
const INERT = 0o644;

/** The script of RPort's own client, which has the name that ours will have. */
export class RportClientScript {
  readonly #file: string;
  readonly #aside: string;

  constructor(file: string) {
    this.#file = file;
    this.#aside = `${file}${PREDECESSOR}`;
  }

  /** Whether the script of this name starts RPort's client. */
  async isThere(): Promise<boolean> {
    const text = await readFile(this.#file, "utf8").catch(() => "");
    return CLIENT.some((lines) => lines.every((line) => line.test(text)));
  }

  /** Makes room for ours, when it is stopped. It starts with the machine as before: by the same name. */
  async putAside(undo: Undo): Promise<void> {
    const mode = (await stat(this.#file)).mode & 0o7777;
    undo.add(`restore ${this.#file}`, () => this.#putBack(mode));
    await rename(this.#file, this.#aside);
    await chmod(this.#aside, INERT);
  }

  /** The command that puts it back, once ours is gone. */
  wayBack(): string {
    const isKept = `[ ! -e ${this.#aside} ]`;
    return `${isKept} || { mv ${this.#aside} ${this.#file} && chmod 755 ${this.#file}; }`;
  }

  async #putBack(mode: number): Promise<void> {
    if (!(await isPresent(this.#aside))) return;
    await chmod(this.#aside, mode);
    await rename(this.#aside, this.#file);
  }
}
