import { rename } from "node:fs/promises";
import type { ProgramResult } from "../programs.ts";
import { PREDECESSOR } from "../supervisor.ts";
import type { Undo } from "../undo.ts";

/** As `systemctl show` tells what a unit starts: RPort's client, with the configuration of its package. */
const CLIENT =
  /path=\/(?:[\w.-]+\/)*rport ; argv\[\]=\S+ (?:\S+ )*(?:-c|--config)[ =]"?\/etc\/rport\/rport\.conf"? ;/;

/** What a unit is looked at and changed with. */
export interface RportClientUnitDeps {
  /** Where ours goes. */
  readonly file: string;
  readonly name: string;
  systemctl(...args: readonly string[]): Promise<ProgramResult>;
  /** Rejects when it fails; the answer is what it says. */
  must(...args: readonly string[]): Promise<string>;
}

/** The unit of RPort's own client, which has the name that ours will have. */
export class RportClientUnit {
  readonly #deps: RportClientUnitDeps;
  readonly #aside: string;

  constructor(deps: RportClientUnitDeps) {
    this.#deps = deps;
    this.#aside = `${deps.file}${PREDECESSOR}`;
  }

  /** Whether the unit that is loaded under this name starts RPort's client. */
  async isThere(): Promise<boolean> {
    return CLIENT.test(await this.#show("ExecStart"));
  }

  /** Stops it and makes room for ours, so that it can be brought back as it was. */
  async takeOver(undo: Undo): Promise<void> {
    const { file, name, systemctl, must } = this.#deps;
    const isEnabled = (await systemctl("is-enabled", "--quiet", name)).code === 0;
    const isInTheWay = (await this.#show("FragmentPath")) === file;
    await must("stop", name);
    if (isEnabled) {
      undo.add(`enable ${name} again`, async () => {
        await must("--quiet", "enable", name);
      });
      await must("--quiet", "disable", name);
    }
    if (!isInTheWay) return;
    undo.add(`restore ${file}`, () => rename(this.#aside, file));
    await rename(file, this.#aside);
  }

  /** The commands that bring it back, once ours is gone. */
  wayBack(): readonly string[] {
    const { file, name } = this.#deps;
    return [
      `[ ! -e ${this.#aside} ] || mv ${this.#aside} ${file}`,
      "systemctl daemon-reload",
      `systemctl enable --now ${name}`,
    ];
  }

  async #show(property: string): Promise<string> {
    const { must, name } = this.#deps;
    const shown = await must("show", `--property=${property}`, name);
    return shown.trim().replace(`${property}=`, "");
  }
}
