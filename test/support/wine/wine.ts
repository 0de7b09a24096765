import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { access, copyFile, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import type { RunResult } from "../systemd/process.ts";
import { forwarder } from "./forwarder.ts";

/** Where Debian has it; not in PATH. */
const FOLDER = "/usr/lib/wine";
const LOADER = join(FOLDER, "wine64");
const SERVER = join(FOLDER, "wineserver64");
const PROGRAM_MS = 90_000;

/** Why there is no Wine on this machine, for `ctx.skip`, or undefined when there is one. */
export function whyNoWine(): string | undefined {
  return existsSync(LOADER) ? undefined : "wine64 is not installed";
}

/** A Windows of its own: a drive C: with nothing on it but what Wine brings. */
export class Wine implements AsyncDisposable {
  readonly #prefix: string;
  readonly #keeper: ChildProcess;
  readonly #environment: Record<string, string>;

  private constructor(prefix: string, environment: Record<string, string>, keeper: ChildProcess) {
    this.#prefix = prefix;
    this.#environment = environment;
    this.#keeper = keeper;
  }

  /** Sets up a Windows 10. Takes some seconds. */
  static async start(): Promise<Wine> {
    const prefix = await mkdtemp(join(tmpdir(), "rport-wine-"));
    const path = `${FOLDER}:${process.env.PATH}`;
    const env = { PATH: path, HOME: prefix, WINEPREFIX: prefix, WINEDEBUG: "-all", DISPLAY: "" };
    call(env, ["wineboot", "-i"]);
    call(env, ["reg", "add", "HKCU\\Software\\Wine", "/v", "Version", "/d", "win10", "/f"]);
    // Windows 10 has this library, of which Bun wants one function; Wine 8 has the function elsewhere.
    const library = forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036");
    await writeFile(join(prefix, "drive_c/windows/system32/bcryptprimitives.dll"), library);
    // Two programs that start together would each start a service manager.
    spawnSync(SERVER, ["-w"], { env, timeout: PROGRAM_MS });
    return new Wine(prefix, env, await keepRunning(prefix, env));
  }

  /** The path of a file of drive C: here. */
  path(windowsPath: string): string {
    return join(this.#prefix, "drive_c", windowsPath.slice("C:\\".length).replaceAll("\\", "/"));
  }

  /** Puts a file on drive C:. */
  async put(from: string, windowsPath: string): Promise<void> {
    await copyFile(from, this.path(windowsPath));
  }

  /** The text of a file of drive C:. */
  async read(windowsPath: string): Promise<string> {
    return readFile(this.path(windowsPath), "utf8");
  }

  has(windowsPath: string): boolean {
    return existsSync(this.path(windowsPath));
  }

  /** Runs a program to its end. Its input and output are files: Wine's pipes are not for every program. */
  async run(program: string, args: readonly string[] = [], input = ""): Promise<RunResult> {
    const name = (what: string) => join(this.#prefix, `std${what}`);
    await writeFile(name("in"), input);
    await using stdin = await open(name("in"), "r");
    await using stdout = await open(name("out"), "w");
    await using stderr = await open(name("err"), "w");
    const child = spawn(LOADER, [program, ...args], {
      env: this.#environment,
      cwd: join(this.#prefix, "drive_c"),
      stdio: [stdin.fd, stdout.fd, stderr.fd],
      timeout: PROGRAM_MS,
      killSignal: "SIGKILL",
    });
    const [code] = await once(child, "exit");
    if (typeof code !== "number") throw new Error(`${program} did not end in time`);
    const text = async (what: string) => (await readFile(name(what), "utf8")).replaceAll("\r", "");
    return { code, stdout: await text("out"), stderr: await text("err") };
  }

  /** The state of a service, in Windows' own word; empty when there is none. */
  async serviceState(name: string): Promise<string> {
    const { stdout } = await this.run("sc", ["query", name]);
    return /STATE\s+:\s+\d\s+(\w+)/.exec(stdout)?.[1] ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    spawnSync(SERVER, ["-k"], { env: this.#environment });
    spawnSync(SERVER, ["-w"], { env: this.#environment, timeout: PROGRAM_MS });
    if (this.#keeper.exitCode === null) this.#keeper.kill("SIGKILL");
    await rm(this.#prefix, { recursive: true, force: true });
  }
}

/** Starts what Wine needs to keep its services: it ends them with the last program that is none. */
async function keepRunning(prefix: string, env: Record<string, string>): Promise<ChildProcess> {
  const words = ["cmd", "/c", "echo up>C:\\up & ping -n 3600 127.0.0.1"];
  const keeper = spawn(LOADER, words, { env, stdio: "ignore" });
  await eventually(() => access(join(prefix, "drive_c", "up")), PROGRAM_MS);
  return keeper;
}

function call(env: Record<string, string>, args: readonly string[]): void {
  const { status } = spawnSync(LOADER, args, { env, stdio: "ignore", timeout: PROGRAM_MS });
  if (status !== 0) throw new Error(`wine64 ${args.join(" ")} ended with status ${status}`);
}
