import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { CliFailure, EXIT } from "../../../../agent/src/cli/cliFailure.ts";
import { hostKeyFileIn } from "../../../../agent/src/host/hostKey.ts";
import { CONFIG, installScene } from "../../../support/installer/installScene.ts";

/** What the script writes into a folder that it works in; `test/installers` hold it to that. */
const WORK_MARK = "#!/bin/sh\n# rport-installer.sh works here\n";
const UNTOUCHED = ["downloaded", "tmp"];

describe("installing", () => {
  test("places everything, starts, and a second time changes nothing", async () => {
    await using it = await installScene();
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
    await using it = await installScene();
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
    await using it = await installScene();
    await it.run({ isStarted: false });
    expect(it.supervisor.notes).toEqual(["install"]);
  });

  test("a newer program replaces the old one without a token", async () => {
    await using it = await installScene();
    await it.run();
    await writeFile(it.program, "version 2");
    await it.run();
    expect(await readFile(it.layout.program, "utf8")).toBe("version 2");
    expect(it.tokens.spent).toBe(1);
    expect((await it.files()).filter((name) => name.endsWith(".previous"))).toEqual([]);
  });

  test("a dry run says every step and does none", async () => {
    await using it = await installScene();
    await it.run({ isDryRun: true }, { enroll: undefined });
    expect(it.said.join("\n")).toContain(`would write ${it.layout.program}`);
    expect(it.said.every((line) => line.startsWith("would "))).toBe(true);
    expect(await it.files()).toEqual(UNTOUCHED);
  });

  test("without a token it is refused, unless the host is enrolled there", async () => {
    await using it = await installScene();
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
    await using it = await installScene();
    await mkdir(it.prefix, { recursive: true });
    await writeFile(join(it.prefix, "precious"), "");
    await expect(it.run()).rejects.toMatchObject({ exitCode: EXIT.usage });
    expect(it.tokens.spent).toBe(0);
  });

  test("an empty directory in which only the installer works is an empty one", async () => {
    await using it = await installScene();
    const temporary = join(it.prefix, "rport-a1b2c3", "rport-install-d4e5f6");
    await mkdir(temporary, { recursive: true });
    await writeFile(join(dirname(temporary), "probe"), WORK_MARK);
    await it.run({}, { temporary });
    expect(await readFile(it.layout.config, "utf8")).toBe(CONFIG);
    expect(await readdir(it.prefix)).toContain("rport-a1b2c3");
    await writeFile(join(it.prefix, "rport-a1b2c3.txt"), "");
    await rm(join(it.prefix, "install.json"));
    await expect(it.run({}, { temporary })).rejects.toMatchObject({ exitCode: EXIT.usage });
  });
});

describe("what a run that was killed has left in a prefix", () => {
  test("goes with the next installation, and nothing that a person has put there", async () => {
    await using it = await installScene();
    const killed = join(it.prefix, "rport-k1LLed");
    await mkdir(join(killed, "rport-install-d4e5f6"), { recursive: true });
    await writeFile(join(killed, "probe"), WORK_MARK);
    await it.run({ isDryRun: true });
    expect(await readdir(it.prefix)).toEqual(["rport-k1LLed"]);
    await it.run();
    expect(await readdir(it.prefix)).not.toContain("rport-k1LLed");
    const backup = join(it.prefix, "rport-backup");
    for (const [name, text] of [
      ["rport-backup", "#!/bin/sh\n"],
      ["rport-longer7", WORK_MARK],
    ] as const) {
      await mkdir(join(it.prefix, name));
      await writeFile(join(it.prefix, name, "probe"), text);
    }
    await mkdir(join(it.prefix, "rport-l1nked"));
    await symlink(
      join(it.prefix, "rport-longer7", "probe"),
      join(it.prefix, "rport-l1nked", "probe"),
    );
    await writeFile(join(backup, "data"), "precious");
    await it.run({ isForced: true });
    const left = await readdir(it.prefix);
    expect(left.filter((name) => name.startsWith("rport-")).sort()).toEqual([
      "rport-backup",
      "rport-l1nked",
      "rport-longer7",
    ]);
  });
});

describe("taking back", () => {
  test("a refusal of the server leaves nothing", async () => {
    await using it = await installScene();
    const refusal = new CliFailure(EXIT.token, "used");
    const enroll = () => Promise.reject(refusal);
    await expect(it.run({}, { enroll })).rejects.toMatchObject({ exitCode: 4, message: "used" });
    expect(await it.files()).toEqual(UNTOUCHED);
  });

  test("an agent that does not connect is removed, and its last lines are told", async () => {
    await using it = await installScene();
    it.supervisor.connects = false;
    await expect(it.run()).rejects.toMatchObject({
      exitCode: EXIT.offline,
      message: expect.stringMatching(/nobody answers\n.*\n {2}it said something/),
    });
    expect(await it.files()).toEqual(UNTOUCHED);
    const undone = ["install", "stop", "start", "stop", "undo install", "remove"];
    expect(it.supervisor.notes).toEqual(undone);
  });

  test("an agent that connects late is not taken back for one wrong answer about it", async () => {
    await using it = await installScene();
    const { supervisor } = it;
    supervisor.connects = false;
    const start = supervisor.start.bind(supervisor);
    supervisor.start = async () => {
      await start();
      supervisor.isRunning = async () => {
        supervisor.connects = true;
        await start();
        return false;
      };
    };
    await it.run();
    expect(it.said).toContain("The agent is installed and connected.");
  });

  test("an older agent gets its files back before it is started again", async () => {
    await using it = await installScene();
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

  test.each([true, false])("a program that does not start is status 3 (%s)", async (isStarted) => {
    await using it = await installScene();
    it.started.code = 126;
    const failing = it.run({ isStarted });
    await expect(failing).rejects.toMatchObject({
      exitCode: EXIT.unsupported,
      message: expect.stringContaining("noexec"),
    });
    expect(await it.files()).toEqual(UNTOUCHED);
    expect(it.tokens.spent).toBe(0);
    expect(it.supervisor.notes).toEqual([]);
  });

  test("an interruption is noticed between two steps", async () => {
    await using it = await installScene();
    const enroll = async (file: string) => {
      await writeFile(file, CONFIG);
      it.aborting.abort();
      return { authId: "web", clientId: "host-1", report: async () => undefined };
    };
    await expect(it.run({}, { enroll })).rejects.toThrow("Interrupted");
    expect(await it.files()).toEqual(UNTOUCHED);
  });

  test("a step that fails is the reason that is told", async () => {
    await using it = await installScene();
    it.supervisor.failsToInstall = true;
    await expect(it.run()).rejects.toThrow("no room for a unit");
    expect(it.reports).toEqual([
      { kind: "failed", step: "set up the fake", text: "no room for a unit" },
    ]);
    expect((await it.files()).filter((name) => name.startsWith("made"))).toEqual([]);
  });
});
