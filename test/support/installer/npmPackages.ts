import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ENDPOINT_FILE, type EndpointFile, endpointFileSchema } from "@rport/protocol/endpointFile";
import { TestApi } from "../backend/api.ts";
import { eventually } from "../eventually.ts";
import { type RunOptions, type RunResult, run } from "../systemd/process.ts";
import { tempDirectory } from "../tempDirectory.ts";

const PACKAGE = fileURLToPath(new URL("../../../scripts/package.mjs", import.meta.url));
const NPM_FOLDER = fileURLToPath(new URL("../../../dist/npm", import.meta.url));
const INSTALL_MS = 180_000;
const READY_MS = 60_000;

/** What belongs to every server, and the program of the editor's users; there are more where more executables were built. */
const USUAL = /^rport-(backend|bridge|agent-linux-x64)-\d.*\.tgz$/;

/** Packs everything for npm, if the sources have changed; the paths of the usual archives. */
export async function npmArchives(): Promise<readonly string[]> {
  await promisify(execFile)("flock", [PACKAGE, process.execPath, PACKAGE, "--npm"]);
  const names = await readdir(NPM_FOLDER);
  return names.filter((name) => USUAL.test(name)).map((name) => join(NPM_FOLDER, name));
}

/** A backend that npm has installed, as it runs. Killed at the end of its scope. */
export interface NpmBackend extends AsyncDisposable {
  readonly endpoint: EndpointFile;
  readonly api: TestApi;
  /** What it has said so far, its log included. */
  said(): string;
  /** Sends a signal to the program that was started: the launcher, or npx. */
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code or the signal of that program. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** A folder in which npm has installed packages, used from a shell that has one Node. */
export class NpmFolder implements AsyncDisposable {
  readonly path: string;
  readonly #shell: string;
  readonly #opened: AsyncDisposable;

  private constructor(path: string, shell: string, opened: AsyncDisposable) {
    this.path = path;
    this.#shell = shell;
    this.#opened = opened;
  }

  /** Installs archives into an empty folder; rejects with npm's words. `node` is a program. */
  static async install(archives: readonly string[], node: string): Promise<NpmFolder> {
    await using opened = new AsyncDisposableStack();
    const { path } = opened.use(await tempDirectory());
    const { path: programs } = opened.use(await tempDirectory());
    await symlink(node, join(programs, "node"));
    const folder = new NpmFolder(path, `${programs}:${systemPath()}`, opened.move());
    const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
    const options = { timeoutMs: INSTALL_MS };
    const { code, stderr } = await folder.run(["npm", "install", ...flags, ...archives], options);
    if (code !== 0) throw new Error(`npm install failed: ${stderr}`);
    return folder;
  }

  /** The same folder, used from a shell that has another Node. */
  async withNode(node: string): Promise<NpmFolder> {
    await using opened = new AsyncDisposableStack();
    const { path: programs } = opened.use(await tempDirectory());
    await symlink(node, join(programs, "node"));
    return new NpmFolder(this.path, `${programs}:${systemPath()}`, opened.move());
  }

  /** Everything in the folder as a tar archive. */
  async archive(): Promise<Buffer> {
    await using temp = await tempDirectory();
    const file = join(temp.path, "folder.tar");
    const names = await readdir(this.path);
    await promisify(execFile)("tar", ["-cf", file, "-C", this.path, ...names]);
    return await readFile(file);
  }

  /** Runs a program in the folder to its end. */
  run([program = "", ...args]: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run(program, args, { ...options, env: this.#environment(), cwd: this.path });
  }

  /** Starts a backend, or what else says that it is ready, by words such as `npx rport-backend`. */
  async start(words: readonly string[], dataDir: string): Promise<NpmBackend> {
    const [program = "", ...args] = [...words, "--data-dir", dataDir];
    const started = this.#spawn(program, args);
    await using opened = new AsyncDisposableStack();
    opened.defer(started.stop);
    await eventually(() => {
      if (!started.said().includes("is ready")) throw new Error(started.said());
    }, READY_MS);
    const text = await readFile(join(dataDir, ENDPOINT_FILE), "utf8");
    const endpoint = endpointFileSchema.parse(JSON.parse(text));
    opened.move();
    const api = new TestApi(endpoint.url, endpoint.token);
    return { ...started, endpoint, api, [Symbol.asyncDispose]: started.stop };
  }

  /** Starts a program that is no backend, and resolves as soon as it has said this. */
  async startUntil(words: readonly string[], sign: RegExp) {
    const [program = "", ...args] = words;
    const started = this.#spawn(program, args);
    const found = await eventually(() => {
      const match = sign.exec(started.said());
      if (match === null) throw new Error(started.said());
      return match;
    }, READY_MS);
    return { ...started, found };
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#opened[Symbol.asyncDispose]();
  }

  #environment() {
    return { PATH: this.#shell, HOME: process.env.HOME ?? "/" };
  }

  #spawn(program: string, args: readonly string[]) {
    const env = this.#environment();
    const stdio = ["ignore", "pipe", "pipe"] as const;
    const child = spawn(program, args, { cwd: this.path, env, stdio: [...stdio] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    const ended = once(child, "exit").then(
      ([code, signal]): number | NodeJS.Signals => code ?? signal,
    );
    const signal = (name: NodeJS.Signals) => void child.kill(name);
    const stop = async () => {
      signal("SIGTERM");
      await ended;
    };
    return { said: () => said, signal, ended, stop };
  }
}

/** The machine's PATH without programs of this project's packages, and with npm. */
function systemPath(): string {
  const folders = (process.env.PATH ?? "").split(":");
  return [...folders.filter((folder) => !folder.includes("node_modules")), dirname("/bin/sh")].join(
    ":",
  );
}
