import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliFailure, EXIT } from "../../../../agent/src/cli/cliFailure.ts";
import { hostKeyFileIn } from "../../../../agent/src/host/hostKey.ts";
import type { Clock } from "../../../../agent/src/platform/clock.ts";
import {
  type InstallDeps,
  type InstallRequest,
  install,
} from "../../../../agent/src/service/install.ts";
import { prefixLayout } from "../../../../agent/src/service/layout.ts";
import type { Supervisor } from "../../../../agent/src/service/supervisor.ts";
import type { Undo } from "../../../../agent/src/service/undo.ts";
import { uninstall } from "../../../../agent/src/service/uninstall.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const SERVER = "http://127.0.0.1:8080";
const CONFIG = `[client]
server = "${SERVER}"
auth = "web:secret-of-this-host"
fingerprint = "SHA256:${"A".repeat(43)}"
`;

const NOTHING_SPECIAL = { isNewId: false, isForced: false, isStarted: true, isDryRun: false };

/** Keeps notes instead of processes; `connects` says whether a started agent gets online. */
class FakeSupervisor implements Supervisor {
  readonly title = "the fake";
  readonly notes: string[] = [];
  connects = true;
  isUp = false;
  isThere = false;
  failsToInstall = false;
  readonly #dataDir: string;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  isInstalled = () => Promise.resolve(this.isThere);
  isCurrent = () => Promise.resolve(this.isThere);
  isRunning = () => Promise.resolve(this.isUp);
  lastLines = () => Promise.resolve(["it said something"]);

  async install(undo: Undo): Promise<void> {
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
    this.isUp = false;
    await rm(join(this.#dataDir, "state.json"), { force: true });
  }

  async remove(): Promise<void> {
    this.notes.push("remove");
    this.isThere = false;
  }
}

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

/** A place to install to, with a program to install and an answer of the server. */
async function scene() {
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
  const aborting = new AbortController();
  const deps: InstallDeps = {
    layout,
    self: { kind: "executable", file: program },
    programs: { run: () => Promise.reject(new Error("nothing is to be run")) },
    clock: quickClock(),
    user: undefined,
    supervisor: () => supervisor,
    enroll: async (file) => {
      tokens.spent += 1;
      await writeFile(file, CONFIG);
      return { authId: "web", clientId: "host-1" };
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
      { ...deps, supervisors: [supervisor], user: "nobody-at-all" },
    );
  const files = async () => (await readdir(directory.path, { recursive: true })).sort();
  return {
    directory,
    prefix,
    layout,
    supervisor,
    program,
    said,
    tokens,
    aborting,
    run,
    remove,
    files,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

const UNTOUCHED = ["downloaded", "tmp"];

describe("installing", () => {
  test("places everything, starts, and a second time changes nothing", async () => {
    await using it = await scene();
    await it.run();
    expect(await readFile(it.layout.program, "utf8")).toBe("version 1");
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG);
    expect(it.said).toContain("enrolled as web, client host-1");
    expect(it.supervisor.notes).toEqual(["install", "stop", "start"]);
    await it.run();
    expect(it.supervisor.notes).toHaveLength(3);
    expect(it.tokens.spent).toBe(1);
    expect(it.said.at(-1)).toContain("already enrolled");
    await it.run({ isForced: true });
    expect(it.tokens.spent).toBe(2);
  });

  test("keeps the key of the host, except for a host that shall be a new one", async () => {
    await using it = await scene();
    await it.run();
    const key = hostKeyFileIn(it.layout.dataDir);
    await writeFile(key, "the key");
    await it.run({ isForced: true });
    expect(await readFile(key, "utf8")).toBe("the key");
    it.supervisor.connects = false;
    const failing = it.run({ isForced: true, isNewId: true });
    await expect(failing).rejects.toMatchObject({ exitCode: EXIT.offline });
    expect(await readFile(key, "utf8")).toBe("the key");
    it.supervisor.connects = true;
    await it.run({ isForced: true, isNewId: true });
    expect(await readdir(it.layout.dataDir)).toEqual(["state.json"]);
  });

  test("without starting it starts nothing", async () => {
    await using it = await scene();
    await it.run({ isStarted: false });
    expect(it.supervisor.notes).toEqual(["install"]);
  });

  test("a newer program replaces the old one without a token", async () => {
    await using it = await scene();
    await it.run();
    await writeFile(it.program, "version 2");
    await it.run();
    expect(await readFile(it.layout.program, "utf8")).toBe("version 2");
    expect(it.tokens.spent).toBe(1);
    expect((await it.files()).filter((name) => name.endsWith(".previous"))).toEqual([]);
  });

  test("a dry run says every step and does none", async () => {
    await using it = await scene();
    await it.run({ isDryRun: true }, { enroll: undefined });
    expect(it.said.join("\n")).toContain(`would write ${it.layout.program}`);
    expect(it.said.every((line) => line.startsWith("would "))).toBe(true);
    expect(await it.files()).toEqual(UNTOUCHED);
  });

  test("without a token it is refused, unless the host is enrolled there", async () => {
    await using it = await scene();
    const without = { enroll: undefined };
    await expect(it.run({}, without)).rejects.toMatchObject({ exitCode: EXIT.usage });
    expect(await it.files()).toEqual(UNTOUCHED);
    await it.run();
    await it.supervisor.stop();
    await it.run({}, without);
    expect(it.supervisor.isUp).toBe(true);
    const elsewhere = it.run({ server: "http://127.0.0.1:9" }, without);
    await expect(elsewhere).rejects.toMatchObject({ exitCode: EXIT.usage });
  });

  test("a directory that holds something else is refused", async () => {
    await using it = await scene();
    await mkdir(it.prefix, { recursive: true });
    await writeFile(join(it.prefix, "precious"), "");
    await expect(it.run()).rejects.toMatchObject({ exitCode: EXIT.usage });
    expect(it.tokens.spent).toBe(0);
  });
});

describe("taking back", () => {
  test("a refusal of the server leaves nothing", async () => {
    await using it = await scene();
    const refusal = new CliFailure(EXIT.token, "used");
    const enroll = () => Promise.reject(refusal);
    await expect(it.run({}, { enroll })).rejects.toBe(refusal);
    expect(await it.files()).toEqual(UNTOUCHED);
  });

  test("an agent that does not connect is removed, and its last lines are told", async () => {
    await using it = await scene();
    it.supervisor.connects = false;
    await expect(it.run()).rejects.toMatchObject({
      exitCode: EXIT.offline,
      message: expect.stringMatching(/nobody answers\n.*\n {2}it said something/),
    });
    expect(await it.files()).toEqual([...UNTOUCHED, "tmp/rport.conf"]);
    const undone = ["install", "stop", "start", "stop", "undo install", "remove"];
    expect(it.supervisor.notes).toEqual(undone);
  });

  test("an older agent gets its files back before it is started again", async () => {
    await using it = await scene();
    await it.run();
    await writeFile(it.program, "version 2");
    it.supervisor.connects = false;
    it.supervisor.notes.length = 0;
    const seen: string[] = [];
    const start = it.supervisor.start.bind(it.supervisor);
    it.supervisor.start = async () => {
      seen.push(await readFile(it.layout.program, "utf8"));
      await start();
    };
    await expect(it.run()).rejects.toMatchObject({ exitCode: EXIT.offline });
    expect(seen).toEqual(["version 2", "version 1"]);
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG);
  });

  test("an interruption is noticed between two steps", async () => {
    await using it = await scene();
    const enroll = async (file: string) => {
      await writeFile(file, CONFIG);
      it.aborting.abort();
      return { authId: "web", clientId: "host-1" };
    };
    await expect(it.run({}, { enroll })).rejects.toThrow("Interrupted");
    expect(await it.files()).toEqual([...UNTOUCHED, "tmp/rport.conf"]);
  });

  test("a step that fails is the reason that is told", async () => {
    await using it = await scene();
    it.supervisor.failsToInstall = true;
    await expect(it.run()).rejects.toThrow("no room for a unit");
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });
});

describe("uninstalling", () => {
  test("leaves the tree as it was, the directories above included", async () => {
    await using it = await scene();
    await it.run();
    await it.remove();
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
    expect(it.said.at(-1)).toBe("The agent is removed.");
    await it.remove();
    expect(it.said.at(-1)).toBe("There is no agent to remove.");
  });

  test("leaves what is not its own", async () => {
    await using it = await scene();
    await it.run();
    await writeFile(join(it.prefix, "precious"), "");
    await it.remove();
    expect(await readdir(it.prefix)).toEqual(["precious"]);
  });

  test("keeps the configuration when asked to, and can finish later", async () => {
    await using it = await scene();
    await it.run();
    await it.remove(true);
    expect((await readdir(it.prefix)).sort()).toEqual(["install.json", "rport.conf"]);
    await it.remove();
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });

  test("keeps the key of the host with the configuration, and nothing else of its state", async () => {
    await using it = await scene();
    await it.run();
    const key = hostKeyFileIn(it.layout.dataDir);
    await writeFile(key, "the key");
    await it.remove(true);
    expect((await readdir(it.prefix)).sort()).toEqual(["install.json", "rport.conf", "state"]);
    expect(await readdir(it.layout.dataDir)).toEqual(["host.key"]);
    await it.run();
    expect(await readFile(key, "utf8")).toBe("the key");
    await it.remove();
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });

  test("does all it can when a step fails, and tells which one failed", async () => {
    await using it = await scene();
    await it.run();
    it.supervisor.remove = () => Promise.reject(new Error("it does not end"));
    await expect(it.remove()).rejects.toThrow(
      "Could not stop and remove the fake: it does not end",
    );
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });
});
