import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SHELL_BLOCK = /^ *```sh\n([\s\S]*?)^ *```$/gm;
const run = promisify(execFile);

/** A page of the documentation, as somebody follows it who pastes its commands into a shell. */
export class Guide {
  readonly #before: string;
  readonly #sections: ReadonlyMap<string, readonly string[]>;

  private constructor(before: string, sections: ReadonlyMap<string, readonly string[]>) {
    this.#before = before;
    this.#sections = sections;
  }

  /** Reads `docs/<name>`. `replaced` are texts that the page tells its reader to adapt. */
  static async read(name: string, replaced: Readonly<Record<string, string>>): Promise<Guide> {
    const path = fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
    let text = await readFile(path, "utf8");
    for (const [from, to] of Object.entries(replaced)) {
      if (!text.includes(from)) throw new Error(`${name} does not mention ${from}`);
      text = text.replaceAll(from, to);
    }
    const [head = "", ...rest] = text.split(/^## /m);
    const sections = rest.map((part): [string, string[]] => {
      return [part.slice(0, part.indexOf("\n")), blocksOf(part)];
    });
    return new Guide(blocksOf(head).join("\n"), new Map(sections));
  }

  /** How many commands a section has. */
  count(title: string): number {
    return this.#blocks(title).length;
  }

  /** Runs the section's block of this number (from 1) in bash, after the page's first ones. */
  async run(title: string, number: number): Promise<string> {
    const { stdout } = await run("bash", ["-c", this.script(title, number)]);
    return stdout;
  }

  /** The same block as a script, for a shell elsewhere. */
  script(title: string, number: number): string {
    const block = this.#blocks(title)[number - 1];
    if (block === undefined) throw new Error(`"${title}" has no block ${number}`);
    return `set -euo pipefail\n${this.#before}\n${block}`;
  }

  #blocks(title: string): readonly string[] {
    const blocks = this.#sections.get(title);
    if (blocks === undefined) throw new Error(`there is no section "${title}"`);
    return blocks;
  }
}

function blocksOf(text: string): string[] {
  return [...text.matchAll(SHELL_BLOCK)].map(([, block = ""]) => block);
}
