import { copyFile, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { encodeFrame, FRAME_DATA_BYTES } from "@rport/protocol/terminal/frame";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import {
  type OpenRecordingFile,
  openRecordingFile,
} from "../../../backend/src/recordings/recordingFile.ts";
import { eventually } from "../../support/eventually.ts";
import { BROKEN, breakOnce, escapedFaults } from "../../support/faults/brokenOnce.ts";
import {
  endedRecordings,
  readRecording,
  recordingFiles,
  shownTerminal,
} from "../../support/terminals/recordings.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";
import type { TerminalHost } from "../../support/terminals/terminalHost.ts";

const RECORDINGS = { "filter[application]": "client.terminal.recording", sort: "seq" };

/** A terminal in which this is shown, and then ended. */
async function recorded(scene: TerminalScene, host: TerminalHost, ...texts: string[]) {
  const viewer = await scene.viewer();
  const terminal = [...host.terminals.values()].at(-1);
  for (const text of texts) {
    terminal?.print(text);
    await viewer.shows(text);
  }
  await viewer.end();
  return await viewer.attached;
}

/** Bytes that came from hosts for terminals. */
async function fromHosts(scene: TerminalScene): Promise<number> {
  const [, bytes] =
    /rport_terminal_bytes_total\{direction="from_host"\} (\d+)/.exec(await scene.figures()) ?? [];
  return Number(bytes);
}

/** Files of recordings on a disk that does not take more than so many writes. */
class FullDisk {
  left = Number.POSITIVE_INFINITY;
  /** Called by each write, which waits for what it answers with. */
  onAppend: () => Promise<void> | undefined = () => undefined;

  readonly open: OpenRecordingFile = async (path) => {
    this.#spend();
    const { append, settle } = await openRecordingFile(path);
    return {
      append: async (bytes) => {
        await this.onAppend();
        this.#spend();
        await append(bytes);
      },
      settle,
    };
  };

  #spend(): void {
    this.left -= 1;
    if (this.left < 0) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
  }
}

/** A scene whose server records all terminals, in files that are opened like this. */
function recordingOn({ open }: Pick<FullDisk, "open">): Promise<TerminalScene> {
  return TerminalScene.open({ recordsTerminals: true, openRecordingFile: open });
}

describe("S-64 a recording that somebody altered", () => {
  it.each<[string, (file: string) => Promise<void>, { text: string; state: string }]>([
    [
      "in the middle",
      async (file) => {
        const bytes = await readFile(file);
        bytes.writeUInt8(bytes.readUInt8(bytes.length - 600) ^ 1, bytes.length - 600);
        await writeFile(file, bytes);
      },
      { text: "first", state: "altered" },
    ],
    [
      "by cutting off its end",
      async (file) => truncate(file, (await readFile(file)).length - 555),
      { text: "firstsecond", state: "unfinished" },
    ],
    [
      "by cutting off the end of its end",
      async (file) => truncate(file, (await readFile(file)).length - 1),
      { text: "firstsecond", state: "unfinished" },
    ],
    [
      "by adding something",
      async (file) => writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(1)])),
      { text: "firstsecond", state: "altered" },
    ],
  ])("%s is shown up to there, and says so", async (how, alter, { text, state }) => {
    await using scene = await TerminalScene.open({ recordsTerminals: true });
    const host = await scene.host();
    const { id } = await recorded(scene, host, "first", "second");
    await endedRecordings(scene.backend, 1);
    const [file = ""] = await recordingFiles(scene.backend.dataDir);
    await alter(file);
    const read = await readRecording(scene.backend, { id: `${id}.1` });
    expect([read.text, read.state]).toEqual([text, state]);
    expect(read.marks).toMatch(state === "altered" ? /was altered/ : /has no end/);
    await scene.restart();
    const [one] = await endedRecordings(scene.backend, 1);
    // what is in the middle is looked at when it is read
    expect(one?.state).toBe(how === "in the middle" ? "whole" : state);
  });

  it("where a piece of it begins is shown up to there, and says so", async () => {
    await using scene = await TerminalScene.open({ recordsTerminals: true });
    const host = await scene.host();
    const viewer = await scene.viewer();
    const text = "x".repeat(FRAME_DATA_BYTES);
    for (let count = 0; count < 30; count += 1) host.only.print(text);
    await eventually(() => expect(viewer.text).toHaveLength(30 * text.length));
    await viewer.end();
    const params = { recordingId: `${(await viewer.attached).id}.1` };
    await endedRecordings(scene.backend, 1);
    const { next } = await scene.backend.api("readRecording", { params });
    const [file = ""] = await recordingFiles(scene.backend.dataDir);
    const bytes = await readFile(file);
    const inNext = Number.parseInt(next ?? "", 10) + 100;
    bytes.writeUInt8(bytes.readUInt8(inNext) ^ 1, inNext);
    await writeFile(file, bytes);
    const { state, marks, lines } = await readRecording(scene.backend, { id: params.recordingId });
    expect(state).toBe("altered");
    expect(marks).toContain("was altered");
    expect(lines.length).toBeGreaterThan(10);
  });

  it("by exchanging two of them shows nothing of either", async () => {
    await using scene = await TerminalScene.open({ recordsTerminals: true });
    const host = await scene.host();
    const ids = [await recorded(scene, host, "first"), await recorded(scene, host, "second")];
    await endedRecordings(scene.backend, 2);
    const [one = "", other = ""] = await recordingFiles(scene.backend.dataDir);
    await copyFile(one, `${one}.kept`);
    await copyFile(other, one);
    await copyFile(`${one}.kept`, other);
    for (const { id } of ids) {
      const { text, state, marks } = await readRecording(scene.backend, { id: `${id}.1` });
      expect([text, state]).toEqual(["", "altered"]);
      expect(marks).toContain("was altered");
    }
    await scene.restart();
    const listed = await endedRecordings(scene.backend, 2);
    expect(listed.map(({ state, owner }) => [state, owner])).toEqual([
      ["altered", null],
      ["altered", null],
    ]);
  });

  it("is read from no place outside of it", async () => {
    await using scene = await TerminalScene.open({ recordsTerminals: true });
    const host = await scene.host();
    const { id } = await recorded(scene, host, "first");
    await endedRecordings(scene.backend, 1);
    const params = { recordingId: `${id}.1` };
    for (const from of ["48.0", "3.1", "1000000.9", "9999999999999999.1"]) {
      const reading = scene.backend.api("readRecording", { params, query: { from } });
      await expect(reading).rejects.toMatchObject({ code: "BAD_REQUEST" });
    }
    expect((await scene.backend.raw("GET", "/recordings/x.1/cast")).status).toBe(400);
  });
});

describe("S-65 a terminal that has to be recorded and cannot be", () => {
  it("is not opened, with a sentence, an entry and a figure", async () => {
    const disk = new FullDisk();
    disk.left = 0;
    await using scene = await recordingOn(disk);
    const host = await scene.host();
    const viewer = await scene.asking();
    const { code, reason } = await viewer.closed;
    expect(code).toBe(CLOSE_CODES.refused);
    expect(reason).toBe("This terminal has to be recorded, and the server's disk is full.");
    expect(host.terminals.size).toBe(0);
    expect(await scene.backend.api("listTerminals")).toEqual([]);
    expect(await scene.figures()).toContain("rport_recording_failures_total 1");
    const [row] = await scene.backend.api("listAudit", { query: RECORDINGS });
    expect(row).toMatchObject({ action: "failed", client_id: "web-01" });
    expect(row?.response).toContain("disk is full");
    expect(await scene.backend.api("listRecordings")).toEqual([]);
    disk.left = Number.POSITIVE_INFINITY;
    await recorded(scene, host, "works again");
    expect(await endedRecordings(scene.backend, 1)).toHaveLength(1);
  });

  it("is ended before anything is shown that is not recorded", async () => {
    const disk = new FullDisk();
    await using scene = await recordingOn(disk);
    const { host, viewer, id } = await shownTerminal(scene, "before");
    disk.left = 0;
    host.only.print("unrecorded");
    const { code, reason } = await viewer.closed;
    expect([code, reason]).toEqual([
      CLOSE_CODES.refused,
      "This terminal has to be recorded, and the server's disk is full.",
    ]);
    expect(viewer.text).toBe("before");
    await eventually(() => expect(host.only.end).toEqual({ how: "closed" }));
    expect(await scene.figures()).toContain("rport_recording_failures_total 1");
    await endedRecordings(scene.backend, 1);
    const { text, state } = await readRecording(scene.backend, { id: `${id}.1` });
    expect([text, state]).toEqual(["before", "unfinished"]);
  });

  it("is ended when a change of size cannot be written, also where half a frame came meanwhile", async () => {
    const disk = new FullDisk();
    await using scene = await recordingOn(disk);
    const host = await scene.host();
    const viewer = await scene.viewer();
    using escaped = escapedFaults();
    const [writes, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    disk.onAppend = () => {
      writes.resolve();
      return released.promise;
    };
    viewer.resize({ cols: 100, rows: 30 });
    await writes.promise;
    const before = await fromHosts(scene);
    const frame = encodeFrame({ kind: "output", offset: 0, bytes: Buffer.from("unrecorded") });
    host.only.channel?.write(frame.subarray(0, 7));
    await eventually(async () => expect(await fromHosts(scene)).toBe(before + 7));
    disk.left = 0;
    released.resolve();
    expect((await viewer.closed).reason).toContain("the server's disk is full");
    await eventually(() => expect(host.only.end).toEqual({ how: "closed" }));
    expect([viewer.text, escaped.faults]).toEqual(["", []]);
  });
});

describe("a fault of ours while a recording fails", () => {
  it("ends no server", async () => {
    const disk = new FullDisk();
    await using scene = await recordingOn(disk);
    await scene.host();
    const viewer = await scene.viewer();
    using escaped = escapedFaults();
    const broken = breakOnce(scene.backend.backend.terminals, "stop");
    disk.left = 0;
    viewer.resize({ cols: 100, rows: 30 });
    await scene.backend.logged((line) => line.includes(BROKEN));
    expect([broken.times(), escaped.faults]).toEqual([1, []]);
  });
});

describe("S-63 a recording of a terminal whose owner is on the way back when it ends", () => {
  it("has what they are shown then", async () => {
    await using scene = await TerminalScene.open({ recordsTerminals: true });
    const host = await scene.host({
      onResume: (terminal) => {
        terminal.end = { how: "exit", code: 0 };
        void host.tellEnd(terminal);
      },
    });
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    host.only.print("before ");
    await viewer.shows("before");
    await viewer.cut();
    host.only.print("the rest");
    const again = await scene.viewer({ resume: { id, from: 7 } });
    expect(await again.ended).toEqual({ how: "exit", code: 0 });
    expect(again.text).toBe("the rest");
    const [one] = await endedRecordings(scene.backend, 1);
    expect(one).toMatchObject({ end: { how: "exit", code: 0 }, state: "whole" });
    expect((await readRecording(scene.backend, { id: `${id}.1` })).text).toBe("before the rest");
  });

  it("goes on in another part where its file is gone", async () => {
    let isLost = false;
    const openLost: OpenRecordingFile = async (path) => {
      const { append, settle } = await openRecordingFile(path);
      return {
        append,
        settle: async () => {
          await settle();
          if (isLost) await rm(path, { force: true });
        },
      };
    };
    await using scene = await recordingOn({ open: openLost });
    const { host, viewer, id } = await shownTerminal(scene, "before ", { keepsEnded: true });
    await viewer.cut();
    host.only.print("the rest");
    host.only.end = { how: "exit", code: 0 };
    isLost = true;
    await host.tellEnd(host.only);
    const [gone] = await endedRecordings(scene.backend, 1);
    expect(gone).toMatchObject({ id: `${id}.1`, owner: "local", state: "unfinished" });
    isLost = false;
    const again = await scene.viewer({ resume: { id, from: 7 } });
    await again.ended;
    expect(again.text).toBe("the rest");
    await endedRecordings(scene.backend, 2);
    const { text, marks } = await readRecording(scene.backend, { id: `${id}.2` });
    expect([text, marks]).toEqual(["the rest", ""]);
  });
});

describe("limits of recordings", () => {
  it("recording_bytes ends the terminal, and the recording says so", async () => {
    const limits = { recording_bytes: 64 << 10 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    const host = await scene.host();
    const viewer = await scene.viewer();
    const { id } = await viewer.attached;
    const piece = "x".repeat(FRAME_DATA_BYTES - 1_000);
    for (let count = 0; count < 3; count += 1) host.only.print(piece);
    expect((await viewer.closed).reason).toContain("(recording_bytes)");
    await eventually(() => expect(host.only.end).toEqual({ how: "closed" }));
    const [one] = await endedRecordings(scene.backend, 1);
    expect(one).toMatchObject({ end: { how: "full" }, state: "whole" });
    expect(one?.bytes).toBeLessThanOrEqual(limits.recording_bytes);
    const { text, marks } = await readRecording(scene.backend, { id: `${id}.1` });
    expect(text).toBe(viewer.text);
    expect(marks).toContain("has come to its limit");
    expect(await scene.figures()).toContain('rport_limit_bites_total{limit="recording_bytes"} 1');
  });

  it.each([
    ["recordings", { recordings: 2 }],
    ["recordings_bytes", { recordings_bytes: 1 << 20 }],
  ])("%s has the oldest go, with an entry", async (name, limits) => {
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    const host = await scene.host();
    const text = "x".repeat(FRAME_DATA_BYTES);
    const ids = [];
    for (let count = 0; count < 3; count += 1) {
      const many = name === "recordings" ? [] : Array.from({ length: 11 }, () => text);
      const viewer = await scene.viewer();
      const terminal = [...host.terminals.values()].at(-1);
      for (const each of many) terminal?.print(each);
      await eventually(() => expect(viewer.text).toHaveLength(many.length * text.length));
      await viewer.end();
      ids.push(`${(await viewer.attached).id}.1`);
      await endedRecordings(scene.backend, Math.min(count + 1, 2));
    }
    const left = await scene.backend.api("listRecordings");
    expect(left.map(({ id }) => id).sort()).toEqual(ids.slice(1).sort());
    await eventually(async () =>
      expect(await recordingFiles(scene.backend.dataDir)).toHaveLength(2),
    );
    const rows = await scene.backend.api("listAudit", { query: RECORDINGS });
    const gone = rows.filter(({ action }) => action === "expire");
    expect(gone).toMatchObject([{ affected_id: ids[0] }]);
    expect(JSON.parse(gone[0]?.response ?? "{}")).toMatchObject({ limit: name });
    expect(await scene.figures()).toContain(`rport_limit_bites_total{limit="${name}"} 1`);
  });

  it("recording_days has those go that ended before", async () => {
    let passedMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + passedMs };
    const limits = { recording_days: 1 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits, clock });
    const host = await scene.host();
    await recorded(scene, host, "long ago");
    await endedRecordings(scene.backend, 1);
    passedMs = 86_400_001;
    expect(await scene.backend.api("listRecordings")).toEqual([]);
    expect(await scene.figures()).toContain('rport_limit_bites_total{limit="recording_days"} 1');
  });
});
