import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ensureVsCode, type VsCode } from "./install.ts";
import { quietSettings, type Settings, skippedBuiltins } from "./settings.ts";

/** The server needs well under a second; a loaded machine may need many. */
const startTimeoutMs = 60_000;

/** Time for extension hosts to deactivate before they are killed. */
const stopTimeoutMs = 5_000;

const probeFolder = join(dirname(fileURLToPath(import.meta.url)), "probe");

/** How a test wants its VS Code. Everything is optional. */
export type CodeOptions = {
  /** Packaged extensions to install, beside the probe. */
  readonly vsix?: readonly string[];
  /** User settings, on top of the quiet ones. */
  readonly settings?: Settings;
  /** Environment of the server, hence of the extension host and the integrated terminal. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files of the workspace: path below it, text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files of the user's home: path below it, text. A login shell's give the extension host its PATH. */
  readonly homeFiles?: Readonly<Record<string, string>>;
  /** The language of the window, as the editor gets it from its language pack; English unless given. */
  readonly language?: string;
  /** "trusted" (default): trust is off, all is allowed. "restricted": opens in Restricted Mode. */
  readonly trust?: "trusted" | "restricted";
  /** Another VS Code than the default. */
  readonly vsCode?: VsCode;
};

/** Private folders of one server. */
export type CodeFolders = {
  readonly root: string;
  readonly userData: string;
  readonly extensions: string;
  readonly home: string;
  readonly workspace: string;
  /** Where the probe of each extension host puts its socket. */
  readonly probe: string;
};

async function createFolders(): Promise<CodeFolders> {
  // short names: the path of a unix socket below must stay under 108 bytes
  const root = await mkdtemp(join(tmpdir(), "vs-"));
  const folders = {
    root,
    userData: join(root, "u"),
    extensions: join(root, "e"),
    home: join(root, "h"),
    workspace: join(root, "workspace"),
    probe: join(root, "p"),
  };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
  await mkdir(join(root, "t"));
  return folders;
}

async function fillFolders(folders: CodeFolders, options: CodeOptions): Promise<void> {
  const trust = {
    "security.workspace.trust.enabled": options.trust === "restricted",
    // old editors ask in a dialog, which would lie over everything
    "security.workspace.trust.startupPrompt": "never",
  };
  const settings = { ...quietSettings, ...trust, ...options.settings };
  const userFolder = join(folders.userData, "User");
  await mkdir(userFolder, { recursive: true });
  await writeFile(join(userFolder, "settings.json"), JSON.stringify(settings, null, 2));
  await writeFiles(folders.workspace, options.files);
  await writeFiles(folders.home, options.homeFiles);
  await cp(probeFolder, join(folders.extensions, "rport-test.probe-0.0.1"), { recursive: true });
}

async function writeFiles(folder: string, files: CodeOptions["files"] = {}): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** Little is inherited: neither the test runner's nor npm's variables belong in an editor. */
function serverEnvironment(folders: CodeFolders, options: CodeOptions): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    USER: process.env.USER ?? "root",
    HOME: folders.home,
    TMPDIR: join(folders.root, "t"),
    SHELL: "/bin/bash",
    LANG: "C.UTF-8",
    PS1: "$ ",
    VSCODE_SKIP_BUILTIN_EXTENSIONS: skippedBuiltins.join(","),
    RPORT_PROBE_DIR: folders.probe,
    ...options.env,
  };
}

function baseArguments(vsCode: VsCode, folders: CodeFolders): string[] {
  const data = ["--user-data-dir", folders.userData, "--extensions-dir", folders.extensions];
  // without a config file of its own, the server would write one with a password
  return [vsCode.entry, "--config", "/dev/null", ...data];
}

function startArguments(vsCode: VsCode, options: CodeOptions, port: number): string[] {
  return [
    ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`],
    ...["--disable-telemetry", "--disable-update-check"],
    ...["--disable-getting-started-override", "--ignore-last-opened"],
    ...(options.trust === "restricted" ? [] : ["--disable-workspace-trust"]),
    ...(vsCode.flags.includes("reconnection-grace-time") ? ["--reconnection-grace-time", "1"] : []),
  ];
}

/** What a server is started with, also once more. */
type CodeSetup = {
  readonly vsCode: VsCode;
  readonly folders: CodeFolders;
  readonly options: CodeOptions;
};

/** A process of a server that answers. */
type CodeProcess = {
  readonly origin: string;
  readonly child: ChildProcess;
  readonly output: () => string;
};

/** A running VS Code server with folders, port and extensions of its own. */
export class CodeServer {
  /** Such as http://127.0.0.1:40001. */
  readonly origin: string;
  readonly folders: CodeFolders;
  readonly #setup: CodeSetup;
  #process: CodeProcess;
  /** A test process that ends early takes the server, a group of its own, along. */
  readonly #killAtExit = () => signalGroup(this.#process.child, "SIGKILL");

  /** Use {@link startCode}. */
  constructor(setup: CodeSetup, started: CodeProcess) {
    this.origin = started.origin;
    this.folders = setup.folders;
    this.#setup = setup;
    this.#process = started;
    process.once("exit", this.#killAtExit);
  }

  /** Opens the workspace. */
  get url(): string {
    return `${this.origin}/?folder=${encodeURIComponent(this.folders.workspace)}`;
  }

  /** All that the server wrote so far, errors included. */
  get output(): string {
    return this.#process.output();
  }

  /**
   * Ends the server with its extension hosts and terminals, and starts it again with its folders and its port, as
   * somebody does who quits the editor and opens it the next day. Close the window before, and open it afterwards.
   */
  async restart(): Promise<void> {
    await stopGroup(this.#process.child);
    this.#process = await spawnCode(this.#setup, Number(new URL(this.origin).port));
  }

  /** Ends the server with its extension hosts and terminals, and removes its folders. */
  async [Symbol.asyncDispose](): Promise<void> {
    await stopGroup(this.#process.child);
    process.off("exit", this.#killAtExit);
    await rm(this.folders.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // nobody of the group is left
  }
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    signalGroup(child, "SIGTERM");
    const timer = setTimeout(() => signalGroup(child, "SIGKILL"), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }
  // extension hosts may outlive the server
  signalGroup(child, "SIGKILL");
}

/** Waits for the line that names the port. */
function listening(child: ChildProcess, output: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`VS Code server ${what}:\n${output()}`));
    const timer = setTimeout(() => fail("did not start in time"), startTimeoutMs);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
    child.stdout?.on("data", () => {
      const origin = /HTTP server listening on (http:\/\/[^/\s]+)/.exec(output())?.[1];
      if (origin === undefined) return;
      clearTimeout(timer);
      resolve(origin);
    });
  });
}

/** Starts a private VS Code server; the caller disposes of it. */
export async function startCode(options: CodeOptions = {}): Promise<CodeServer> {
  const vsCode = options.vsCode ?? (await ensureVsCode());
  const folders = await createFolders();
  await fillFolders(folders, options);
  const env = serverEnvironment(folders, options);
  const base = baseArguments(vsCode, folders);
  const installs = (options.vsix ?? []).flatMap((file) => ["--install-extension", file]);
  if (installs.length > 0) {
    await promisify(execFile)(vsCode.node, [...base, ...installs], { env });
  }

  const setup = { vsCode, folders, options };
  try {
    return new CodeServer(setup, await spawnCode(setup, 0));
  } catch (error) {
    await rm(folders.root, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

/** Starts the process on a port, 0 for any, and waits until it answers. */
async function spawnCode(setup: CodeSetup, port: number): Promise<CodeProcess> {
  const { vsCode, folders, options } = setup;
  const args = [...baseArguments(vsCode, folders), ...startArguments(vsCode, options, port)];
  const child = spawn(vsCode.node, args, {
    env: serverEnvironment(folders, options),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const collect = (chunk: string) => {
    text += chunk;
  };
  child.stdout.setEncoding("utf8").on("data", collect);
  child.stderr.setEncoding("utf8").on("data", collect);
  const output = () => text;
  try {
    return { origin: await listening(child, output), child, output };
  } catch (error) {
    await stopGroup(child);
    throw error;
  }
}
