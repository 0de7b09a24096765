import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { newPairingToken } from "@rport/protocol/sealing";
import { describe, expect, it } from "vitest";
import { readToken } from "../../../agent/src/enroll/token.ts";
import { describeTimezone, readHost } from "../../../agent/src/host/host.ts";
import { machineId } from "../../../agent/src/machine/machineId.ts";
import { platformOf } from "../../../agent/src/machine/platformOf.ts";
import { createLog } from "../../../agent/src/platform/log.ts";
import { readState, StateWriter, stateFileIn } from "../../../agent/src/state/stateFile.ts";
import { waitOnline } from "../../../agent/src/state/waitOnline.ts";
import { FakeClock } from "../../support/clock.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const ID = "0123456789abcdef0123456789abcdef";

function machine(platform: NodeJS.Platform, files: Record<string, string>, output = "") {
  return platformOf(platform).idReaders({
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw new Error("ENOENT");
      return text;
    },
    run: async () => output,
  });
}

describe("the machine id", () => {
  it.each([
    [
      "dbus",
      machine("linux", { "/var/lib/dbus/machine-id": `${ID}\n`, "/etc/machine-id": "x" }),
      ID,
    ],
    ["systemd", machine("linux", { "/etc/machine-id": `${ID}\n` }), ID],
    ["no id", machine("linux", {}), undefined],
    ["an image", machine("linux", { "/etc/machine-id": "uninitialized\n" }), undefined],
    ["an empty file", machine("linux", { "/etc/machine-id": "" }), undefined],
    [
      "Windows",
      machine("win32", {}, "\r\n    MachineGuid    REG_SZ    ab-12-cd-34\r\n"),
      "ab-12-cd-34",
    ],
    ["macOS", machine("darwin", {}, '  "IOPlatformUUID" = "AB-12-CD-34"\n'), "AB-12-CD-34"],
    ["FreeBSD", machine("freebsd", { "/etc/hostid": "ab-12-cd-34\n" }), "ab-12-cd-34"],
    ["a board without UUID", machine("freebsd", {}, "00000000-0000-0000"), undefined],
  ])("of %s", async (_what, readers, id) => {
    expect(await machineId(readers)).toBe(id);
  });
});

describe("facts about the host", () => {
  it("are complete, in Go's words and numbers", async () => {
    const facts = await readHost(platformOf(process.platform).inventory);
    for (const value of Object.values(facts)) expect(value).not.toBeUndefined();
    expect(Number.isInteger(facts.NumCPUs) && facts.NumCPUs >= 1).toBe(true);
    expect(Number.isInteger(facts.MemoryTotal)).toBe(true);
    expect(["amd64", "arm64", "386", "arm"]).toContain(facts.OSArch);
    expect(facts.Timezone).toMatch(/^\S+ \(UTC[+-]\d\d:\d\d\)$/);
    expect(describeTimezone(new Date(0))).toMatch(/\(UTC/);
  });
});

describe("reading a pairing token", () => {
  const token = newPairingToken();
  const from = (...chunks: (string | Buffer)[]) =>
    readToken({ kind: "stdin", stream: Readable.from(chunks) });

  it.each([
    ["bare", [token]],
    ["with CR and LF", [`${token}\r\n`]],
    ["with a byte order mark", [`\ufeff${token}`]],
    ["in small letters, with hyphens", [` ${token.toLowerCase().replace(/(.{5})/g, "$1-")}`]],
    ["in pieces", [token.slice(0, 5), token.slice(5)]],
    ["as UTF-16, as PowerShell writes it", [Buffer.from(`\ufeff${token}\r\n`, "utf16le")]],
    ["with more lines behind", [`${token}\n`, "anything"]],
  ])("%s", async (_how, chunks) => {
    expect(await from(...chunks)).toBe(token);
  });

  it("refuses anything else without repeating it", async () => {
    await expect(from("hunter2")).rejects.toThrow(/^The pairing token must have 26 letters/);
    await expect(from("")).rejects.toMatchObject({ exitCode: 2 });
    await expect(from("x".repeat(5_000))).rejects.toMatchObject({ exitCode: 2 });
    await expect(readToken({ kind: "file", path: "/nowhere" })).rejects.toMatchObject({
      exitCode: 2,
    });
    await expect(readToken({ kind: "file", path: "/dev/zero" })).rejects.toThrow(
      "This is not a pairing token.",
    );
  });
});

describe("the agent's log", () => {
  it("S-23: hides secrets that were made known, also when JSON escapes them", () => {
    const lines: string[] = [];
    const clock = new FakeClock();
    const log = createLog({ level: "debug", clock, write: (line) => lines.push(line) });
    log.hide('a"b\\c');
    log.hide("plain-secret");
    log.warn('said a"b\\c', { error: "with plain-secret inside", list: ["plain-secret"] });
    expect(lines.join("")).toBe(
      '{"time":"2030-01-01T00:00:00.000Z","level":"warn","message":"said [redacted]",' +
        '"error":"with [redacted] inside","list":["[redacted]"]}\n',
    );
  });

  it("C-29, S-27: hides the newest secrets that a server offers, and no longer every earlier one", () => {
    const lines: string[] = [];
    const log = createLog({
      level: "info",
      clock: new FakeClock(),
      write: (line) => lines.push(line),
    });
    log.hide("configured-secret");
    for (let n = 1; n <= 1_000; n++) log.hideOffered(`offered-secret-${n}-`);
    log.info("offered-secret-1000- offered-secret-999- offered-secret-1- configured-secret");
    expect(lines.join("")).toContain(
      '"message":"[redacted] [redacted] offered-secret-1- [redacted]"',
    );
  });

  it("S-27: writes thirty lines a minute of each sentence, and then how many more there were", () => {
    const lines: string[] = [];
    const clock = new FakeClock();
    const log = createLog({ level: "info", clock, write: (line) => lines.push(line) });
    for (let n = 0; n < 1_000; n++) log.warn("refused a tunnel target", { target: `host-${n}:80` });
    log.info("connected");
    expect(lines).toHaveLength(31);
    expect(lines.at(-1)).toContain("connected");
    clock.jump(-3_600_000);
    clock.advance(59_999);
    log.warn("refused a tunnel target");
    expect(lines).toHaveLength(31);
    clock.advance(1);
    log.info("connected");
    expect(lines).toHaveLength(33);
    expect(JSON.parse(lines[31] ?? "")).toMatchObject({
      message: "refused a tunnel target",
      more: 971,
      withinSeconds: 60,
    });
  });

  it("leaves out what is below its level", () => {
    const lines: string[] = [];
    const clock = new FakeClock();
    const log = createLog({ level: "warn", clock, write: (line) => lines.push(line) });
    log.info("no");
    log.error("yes");
    expect(lines).toHaveLength(1);
  });
});

describe("the state file", () => {
  const silent = createLog({ level: "error", clock: new FakeClock(), write: () => {} });

  it("tells RPort's watchdogs how the agent is, again every minute", async () => {
    await using directory = await tempDirectory();
    const clock = new FakeClock();
    const writer = new StateWriter({ dataDir: join(directory.path, "new"), clock, log: silent });
    const file = stateFileIn(join(directory.path, "new"));
    writer.set("reconnecting", "no server");
    await expect
      .poll(() => readState(file))
      .toEqual({
        last_update: "2030-01-01T00:00:00.000Z",
        last_update_ts: 1_893_456_000,
        last_state: "reconnecting",
        last_message: "no server",
        pid: process.pid,
      });
    clock.advance(60_000);
    const time = async () => (await readState(file))?.last_update;
    await expect.poll(time).toBe("2030-01-01T00:01:00.000Z");
    await writer.close("stopped");
    expect(clock.timers).toBe(0);
    expect(await readState(file)).toMatchObject({ last_state: "initialized" });
  });

  it("C-29: is written once while a text is under way, with the newest, however often it changes", async () => {
    const written: string[] = [];
    const gate = Promise.withResolvers<void>();
    const replace = async (_file: string, text: string) => {
      written.push(JSON.parse(text).last_message);
      await gate.promise;
    };
    const deps = { dataDir: "/nowhere", clock: new FakeClock(), log: silent, replace };
    const writer = new StateWriter(deps);
    for (let n = 0; n < 1_000; n += 1) writer.set("reconnecting", String(n));
    const closed = writer.close("stopped");
    gate.resolve();
    await closed;
    expect(written).toEqual(["0", "stopped"]);
  });

  it("tells once that it cannot be written", async () => {
    await using directory = await tempDirectory();
    await writeFile(join(directory.path, "file"), "");
    const lines: string[] = [];
    const clock = new FakeClock();
    const log = createLog({ level: "warn", clock, write: (line) => lines.push(line) });
    const writer = new StateWriter({ dataDir: join(directory.path, "file"), clock, log });
    writer.set("connected", "");
    await writer.close("");
    expect(lines).toHaveLength(1);
  });

  it.each([
    ["there is none", undefined, "has not started yet"],
    ["its process is gone", { pid: 1_000, last_state: "connected" }, "not running"],
    ["it is old", { last_update_ts: 1_893_456_000 - 200, last_state: "connected" }, "for minutes"],
    ["the agent is not connected", { last_state: "reconnecting", last_message: "why" }, "why"],
    ["the agent is connected", { last_state: "connected" }, "online"],
  ])("wait-online: %s", async (_what, written, expected) => {
    await using directory = await tempDirectory();
    const stateFile = stateFileIn(directory.path);
    await mkdir(directory.path, { recursive: true });
    const now = { last_update: "", last_update_ts: 1_893_456_000, last_message: "", pid: 2 };
    if (written !== undefined) await writeFile(stateFile, JSON.stringify({ ...now, ...written }));
    const clock = new FakeClock();
    const isAlive = (pid: number) => pid === 2;
    const result = await waitOnline({ stateFile, timeoutMs: 0, clock, isAlive });
    expect(result.kind === "online" ? "online" : result.message).toContain(expected);
  });
});
