import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type RunOptions, type RunResult, run } from "./process.ts";
import { cacheDirectory, ensureRootfs, type InitName } from "./rootfs.ts";
import { Supervisor } from "./supervisor.ts";
import { LIST_TREE, parseTree, type TreeSnapshot } from "./tree.ts";

/** Boots take 0.3 s on two idle cores; a loaded CI machine gets a hundred times that. */
const BOOT_DEADLINE_MS = 30_000;
const POLL_MS = 25;

const ENVIRONMENT = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C.UTF-8",
};

/**
 * `shareNetwork`: the system uses this machine's network, 127.0.0.1 included; else only its own.
 */
export interface BootOptions {
  readonly shareNetwork: boolean;
  /** systemd unless given. */
  readonly init?: InitName;
}

/** What each init answers with as soon as the system is up. */
const READY: Readonly<Record<InitName, { readonly ask: readonly string[]; readonly up: RegExp }>> =
  {
    systemd: { ask: ["systemctl", "is-system-running"], up: /^(running|degraded)$/ },
    openrc: { ask: ["cat", "/run/ready"], up: /^ready$/ },
    sysv: { ask: ["cat", "/run/ready"], up: /^ready$/ },
  };

/** A booted Debian of its own, with its own files and processes. Dispose of it after use. */
export class System implements AsyncDisposable {
  readonly #supervisor: Supervisor;
  readonly #namespaces: readonly string[];
  readonly #init: InitName;
  #initPid = 0;

  /** Use `bootSystemd`. */
  constructor(supervisor: Supervisor, options: BootOptions) {
    this.#supervisor = supervisor;
    this.#init = options.init ?? "systemd";
    this.#namespaces = [
      ...["--mount", "--uts", "--ipc", "--pid", "--cgroup", "--root", "--wd"],
      ...(options.shareNetwork ? [] : ["--net"]),
    ];
  }

  /** The process id of the system's init, as this machine counts; another one after each boot. */
  get initPid(): number {
    return this.#initPid;
  }

  /** Starts init and waits until it says that it is done. Rejects when it takes too long. */
  async boot(): Promise<void> {
    this.#initPid = await this.#supervisor.boot();
    const deadline = Date.now() + BOOT_DEADLINE_MS;
    const { ask, up } = READY[this.#init];
    const [program = "", ...args] = ask;
    for (let state = ""; !up.test(state); ) {
      if (Date.now() > deadline) throw new Error(await this.#describeBoot(state));
      await delay(POLL_MS);
      state = (await this.exec(program, args)).stdout.trim();
    }
  }

  /** Pulls the plug and switches on again: files stay, processes, /run and /tmp do not. */
  async reboot(): Promise<void> {
    await this.#supervisor.halt();
    await this.boot();
  }

  /**
   * Runs a program as root inside. `env` adds to a small fixed environment, never to the test's.
   */
  exec(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const target = ["--target", String(this.#initPid), ...this.#namespaces];
    const env = { ...ENVIRONMENT, ...options.env };
    return run("nsenter", [...target, "--", command, ...args], { ...options, env });
  }

  /** Writes a file inside, making its directory. `mode` is octal text such as "0755". */
  async writeFile(path: string, content: string | Buffer, mode = "0644"): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"';
    await this.#must(["sh", "-c", script, "sh", path, mode], content);
  }

  /** The text of a file inside. Rejects when there is none. */
  readFile(path: string): Promise<string> {
    return this.#must(["cat", path]);
  }

  /** Whether something, be it a dangling link, has this path inside. */
  async exists(path: string): Promise<boolean> {
    const { code } = await this.exec("sh", ["-c", '[ -e "$1" ] || [ -L "$1" ]', "sh", path]);
    return code === 0;
  }

  /** What a unit has said since the last boot. */
  journal(unit: string): Promise<string> {
    return this.#must(["journalctl", "--no-pager", "--output=cat", `--unit=${unit}`]);
  }

  /**
   * All entries below `paths`, to compare before and after; paths that do not exist are left out.
   */
  async treeSnapshot(paths: readonly string[]): Promise<TreeSnapshot> {
    return parseTree(await this.#must(["sh", "-c", LIST_TREE, "sh", ...paths]));
  }

  /** Ends the system and drops its files. May be called again. */
  stop(): Promise<void> {
    return this.#supervisor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #must(
    [command = "", ...args]: readonly string[],
    input: string | Buffer = "",
  ): Promise<string> {
    const result = await this.exec(command, args, { input });
    if (result.code === 0) return result.stdout;
    throw new Error(`${command} ${args.join(" ")} failed (${result.code}): ${result.stderr}`);
  }

  async #describeBoot(state: string): Promise<string> {
    const console = await this.exec("tail", ["-n", "20", "/dev/console"]);
    const jobs = await this.exec("systemctl", ["list-jobs", "--no-pager"]);
    return `the test system did not boot (${state}):\n${console.stdout}\n${jobs.stdout}`;
  }
}

/**
 * A freshly booted Debian, with a real systemd as PID 1 unless it shall have another init, ready for use. Needs what `whyNoSystemd`
 * checks. The first call on a machine builds the root file system and takes about a minute.
 */
export async function bootSystemd(options: BootOptions): Promise<System> {
  const rootfs = await ensureRootfs(options.init);
  // One mount point serves all systems: each mounts there in a namespace of its own.
  const mountPoint = join(cacheDirectory(), "mnt");
  await mkdir(mountPoint, { recursive: true });
  const supervisor = await Supervisor.start(
    rootfs,
    mountPoint,
    options.shareNetwork ? [] : ["--net"],
  );
  const system = new System(supervisor, options);
  try {
    await system.boot();
  } catch (error) {
    await system.stop();
    throw error;
  }
  return system;
}
