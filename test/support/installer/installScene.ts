import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InstallReport } from "../../../agent/src/enroll/report.ts";
import type { Accounts } from "../../../agent/src/machine/account.ts";
import type { Changing } from "../../../agent/src/machine/placing.ts";
import { prefixLayout } from "../../../agent/src/machine/posix/layouts.ts";
import { POSIX_RIGHTS } from "../../../agent/src/machine/posix/rights.ts";
import { SHELL_WRAPPER } from "../../../agent/src/machine/posix/wrapper.ts";
import type { Supervisor } from "../../../agent/src/machine/supervisor.ts";
import type { Clock } from "../../../agent/src/platform/clock.ts";
import {
  type InstallDeps,
  type InstallRequest,
  install,
} from "../../../agent/src/service/install.ts";
import { uninstall } from "../../../agent/src/service/uninstall.ts";
import { tempDirectory } from "../tempDirectory.ts";

/** Where the scene enrols its host. */
export const SERVER = "http://127.0.0.1:8080";
/** What the scene's server gives a host. */
export const CONFIG = `[client]
server = "${SERVER}"
auth = "web:secret-of-this-host"
fingerprint = "SHA256:${"A".repeat(43)}"
`;

const NOTHING_SPECIAL = {
  isNewId: false,
  isForced: false,
  isStarted: true,
  isDryRun: false,
  terminals: { kind: "unsaid" },
} as const;

/** Keeps notes instead of processes; `connects` says whether a started agent gets online. */
class FakeSupervisor implements Supervisor {
  readonly title = "the fake";
  readonly folders: readonly string[] = [];
  readonly notes: string[] = [];
  connects = true;
  isUp = false;
  isThere = false;
  failsToInstall = false;
  /** What the agent does before it ends. */
  onStop: () => Promise<void> = async () => {};
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  isInstalled = () => Promise.resolve(this.isThere);
  isCurrent = () => Promise.resolve(this.isThere);
  isRunning = () => Promise.resolve(this.isUp);
  caveats = () => Promise.resolve([]);
  lastLines = () => Promise.resolve(["it said something"]);

  async install({ undo }: Changing): Promise<void> {
    this.notes.push("install");
    if (this.failsToInstall) throw new Error("no room for a unit");
    undo.add("take the set-up back", async () => void this.notes.push("undo install"));
    this.isThere = true;
  }

  async start(): Promise<void> {
    this.notes.push("start");
    this.isUp = this.connects;
    const state = {
      last_update: "",
      last_update_ts: Date.now() / 1_000,
      last_state: this.connects ? "connected" : "reconnecting",
      last_message: "nobody answers",
      pid: process.pid,
    };
    await writeFile(join(this.#dataDir, "state.json"), JSON.stringify(state));
  }

  async stop(): Promise<void> {
    this.notes.push("stop");
    if (this.isUp) await this.onStop();
    this.isUp = false;
    await rm(join(this.#dataDir, "state.json"), { force: true });
  }

  async remove(): Promise<void> {
    this.notes.push("remove");
    this.isThere = false;
  }
}

/** In a prefix nobody else's account is needed. */
const NO_ACCOUNTS: Accounts = {
  defaultName: "rport",
  whyNot: () => undefined,
  whyNoTerminal: async () => undefined,
  find: async () => undefined,
  ensure: () => Promise.reject(new Error("no account is to be made")),
  remove: () => Promise.reject(new Error("no account is to be removed")),
};

/** Time passes as soon as somebody waits for it. */
function quickClock(): Clock {
  let passedMs = 0;
  return {
    now: () => Date.now(),
    monotonic: () => passedMs,
    after(delayMs, action) {
      const pending = setImmediate(() => {
        passedMs += delayMs;
        action();
      });
      return { cancel: () => clearImmediate(pending) };
    },
  };
}

/** A prefix to install to, with a program to install and an answer of the server. */
export async function installScene() {
  const directory = await tempDirectory();
  const prefix = join(directory.path, "made", "rport");
  const layout = prefixLayout(prefix);
  const supervisor = new FakeSupervisor(layout.dataDir);
  const program = join(directory.path, "downloaded");
  await writeFile(program, "version 1");
  const temporary = join(directory.path, "tmp");
  await mkdir(temporary);
  const said: string[] = [];
  const tokens = { spent: 0 };
  /** What the pairing was told. */
  const reports: InstallReport[] = [];
  /** How the program that was placed ends when it is tried. */
  const started = { code: 0, stdout: "", stderr: "" };
  const aborting = new AbortController();
  const deps: InstallDeps = {
    place: { layout, self: { kind: "executable", file: program }, user: undefined },
    installing: {
      accounts: NO_ACCOUNTS,
      rights: POSIX_RIGHTS,
      wrapper: SHELL_WRAPPER,
      whyNotAt: async () => undefined,
    },
    programs: {
      async run(path, args) {
        if (path !== layout.program || args.join() !== "--version") {
          throw new Error("nothing else is to be run");
        }
        return started;
      },
    },
    clock: quickClock(),
    supervisor: () => supervisor,
    predecessor: undefined,
    enroll: async (file) => {
      tokens.spent += 1;
      await writeFile(file, CONFIG);
      const report = async (one: InstallReport) => void reports.push(one);
      return { authId: "web", clientId: "host-1", report };
    },
    temporary,
    say: (line) => void said.push(line),
    signal: aborting.signal,
  };
  const run = (request: Partial<InstallRequest> = {}, changes: Partial<InstallDeps> = {}) =>
    install({ server: SERVER, ...NOTHING_SPECIAL, ...request }, { ...deps, ...changes });
  const remove = (keepsConfig = false) =>
    uninstall(
      { keepsConfig, isDryRun: false },
      { ...deps, layout, supervisors: [supervisor], wayBack: [], user: "nobody-at-all" },
    );
  const files = async () => (await readdir(directory.path, { recursive: true })).sort();
  /** What is in the prefix, or nothing when it is gone. */
  const left = async () => (await readdir(prefix, { recursive: true }).catch(() => [])).sort();
  return {
    directory,
    left,
    prefix,
    layout,
    supervisor,
    installing: deps.installing,
    program,
    said,
    tokens,
    reports,
    started,
    aborting,
    run,
    remove,
    files,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}
