import { randomBytes } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AgentProgram } from "../agents/agent.ts";
import { HostViewer } from "../agents/hostViewer.ts";
import { startTerminalHost, type TerminalHost } from "../agents/terminalHost.ts";
import { eventually } from "../eventually.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { writeHomeShell } from "./homeShell.ts";

const FOLDERS = ["/bin", "/usr/bin", "/usr/local/bin"];
const [ESC, BEL] = ["\u001B", "\u0007"];
const MARK = new RegExp(`${ESC}\\]633;([^${BEL}]*)${BEL}`, "g");

/** Where a shell is on this machine; undefined: it is not. */
export function pathOfShell(name: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A host whose terminals run a shell in a home of their own. */
export interface ShellHome extends AsyncDisposable {
  readonly host: TerminalHost;
  readonly home: string;
  /** Opens a terminal, with or without marks. */
  open(isMarked: boolean): Promise<ShellViewer>;
}

/** Starts an agent whose terminals run this shell with these files in its home. */
export async function startShellHome(
  program: AgentProgram,
  { shell, files, terminal = {} }: ShellHomeOptions,
): Promise<ShellHome> {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await tempDirectory());
  const { home, shell: wrapper } = await writeHomeShell(path, pathOfShell(shell) ?? shell);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(home, name)), { recursive: true });
    await writeFile(join(home, name), text);
  }
  const host = opened.use(await startTerminalHost(program, { shell: wrapper, ...terminal }));
  const resources = opened.move();
  return {
    host,
    home,
    open: async (isMarked) => {
      const nonce = randomBytes(16).toString("base64url");
      const wish = isMarked ? { kind: "new", marks: { nonce } } : { kind: "new" };
      return new ShellViewer(await HostViewer.open(host.session, { wish }), nonce);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** What a test decides about a shell. */
export interface ShellHomeOptions {
  readonly shell: string;
  /** In its home, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Keys of `[terminal]`. */
  readonly terminal?: Readonly<Record<string, unknown>>;
}

/** One who types into a shell and reads its marks. */
export class ShellViewer {
  readonly viewer: HostViewer;
  readonly nonce: string;

  constructor(viewer: HostViewer, nonce: string) {
    this.viewer = viewer;
    this.nonce = nonce;
  }

  /** All marks so far, without what is around them. */
  get marks(): readonly string[] {
    return [...this.viewer.text.matchAll(MARK)].map(([, mark = ""]) => mark);
  }

  /** What is shown, without marks; what a shell that was typed into at once wipes beside its prompt does not count. */
  get plain(): string {
    return this.viewer.text.replace(MARK, "").replaceAll("\u001B[K", "");
  }

  /** Resolves when this stands in the output so often. */
  async shows(text: string, times = 1): Promise<void> {
    await this.viewer.until(`${times} times ${JSON.stringify(text)}`, () => {
      return this.plain.split(text).length > times;
    });
  }

  /** Types lines, each when the prompt is there, and answers with what was shown until the next one. */
  async run(lines: readonly string[], prompt: string): Promise<string> {
    await this.shows(prompt);
    for (const line of lines) {
      const prompts = this.plain.split(prompt).length;
      await this.viewer.type(`${line}\r`);
      await eventually(() => {
        if (this.plain.split(prompt).length <= prompts) throw new Error(this.plain.slice(-300));
      }, 20_000);
    }
    return this.plain;
  }
}
