import { CLOSE_CODES } from "@rport/protocol/errors";
import { FRAME_DATA_BYTES } from "@rport/protocol/terminal/frame";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { endedRecordings, recordingFiles } from "../../support/terminals/recordings.ts";
import { TerminalScene } from "../../support/terminals/scene.ts";

const RECORDINGS = { "filter[application]": "client.terminal.recording", sort: "seq" };
const PIECE = "x".repeat(FRAME_DATA_BYTES - 1_000);

describe("S-65 the room for recordings", () => {
  it("is that of whoever has most first: their oldest one goes", async () => {
    const limits = { recordings: 3 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    await scene.host();
    const { token } = await scene.members.add("anna", ["Operators"]);
    const ids: string[] = [];
    for (const options of [{}, { token }, { token }, { token }]) {
      const viewer = await scene.viewer(options);
      ids.push(`${(await viewer.attached).id}.1`);
      await viewer.end();
      await endedRecordings(scene.backend, Math.min(ids.length, 3));
    }
    const left = await scene.backend.api("listRecordings");
    const [oldest, goes, ...others] = ids;
    expect(left.map(({ id }) => id).sort()).toEqual([oldest, ...others].sort());
    expect(await expired(scene)).toEqual([goes]);
  });

  it("is not taken by terminals that their host refused", async () => {
    const limits = { recordings: 2 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    await scene.host();
    const viewer = await scene.viewer();
    await viewer.end();
    const before = await endedRecordings(scene.backend, 1);
    const other = { ID: "web-02", Name: "web-02", SessionID: "other" };
    await scene.host({ introduction: other, refuses: "no" });
    for (let count = 0; count < 3; count += 1) {
      await (await scene.asking({ clientId: "web-02" })).closed;
    }
    await eventually(async () => {
      expect(await scene.backend.api("listRecordings")).toEqual(before);
    });
    expect(await recordingFiles(scene.backend.dataDir)).toHaveLength(1);
    expect(await expired(scene)).toEqual([]);
  });

  it("is taken from others down to as much as whoever takes it has, not below", async () => {
    const limits = { recordings: 6 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    await scene.host();
    const { token } = await scene.members.add("anna", ["Operators"]);
    for (let count = 0; count < 4; count += 1) await (await scene.viewer()).end();
    const [oldest] = await endedRecordings(scene.backend, 4);
    for (let count = 0; count < 3; count += 1) await scene.viewer({ token });
    expect(await expired(scene)).toEqual([oldest?.id]);
    const { code, reason } = await (await scene.asking({ token })).closed;
    expect([code, reason]).toEqual([
      CLOSE_CODES.refused,
      "Your recorded terminals have their share of the room (recordings); others need the rest.",
    ]);
    expect(await endedRecordings(scene.backend, 3)).toHaveLength(6);
  });

  it("is left to others by one who opens terminals without end", async () => {
    const limits = { recordings: 4 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    await scene.host();
    const { token } = await scene.members.add("anna", ["Operators"]);
    for (let count = 0; count < 3; count += 1) await scene.viewer({ token });
    expect((await (await scene.asking({ token })).closed).reason).toContain("(recordings)");
    await scene.viewer();
    expect((await (await scene.asking()).closed).reason).toContain("(recordings)");
  });

  it("is taken for one user as often as the audit log has an entry for each that goes", async () => {
    const limits = { recordings: 1, stream_entries_per_user: 2 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    await scene.host();
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      const viewer = await scene.viewer();
      ids.push(`${(await viewer.attached).id}.1`);
      await viewer.end();
      await endedRecordings(scene.backend, 1);
    }
    const { reason } = await (await scene.asking()).closed;
    expect(reason).toContain("too many recordings went for yours");
    expect(await expired(scene)).toEqual(ids.slice(0, 2));
  });

  it("is left to others by one whose terminals write without end", async () => {
    const limits = { recordings_bytes: 1 << 20 };
    await using scene = await TerminalScene.open({ recordsTerminals: true, limits });
    const host = await scene.host();
    const { token } = await scene.members.add("anna", ["Operators"]);
    const quiet = await scene.viewer();
    const loud = await scene.viewer({ token });
    const terminal = [...host.terminals.values()].at(-1);
    for (let count = 0; terminal?.end === undefined && count < 40; count += 1) {
      const before = loud.text.length;
      terminal?.print(PIECE);
      await Promise.race([
        loud.closed,
        eventually(() => expect(loud.text.length).toBeGreaterThan(before)),
      ]);
      if (loud.socket.readyState !== loud.socket.OPEN) break;
    }
    expect(await loud.closed).toEqual({
      code: CLOSE_CODES.refused,
      reason:
        "Your recorded terminals have their share of the room (recordings_bytes); others need the rest.",
    });
    expect(loud.text.length).toBeGreaterThan(600_000);
    expect(loud.text.length).toBeLessThan(786_432);
    const [first] = host.terminals.values();
    first?.print("still here");
    await quiet.shows("still here");
    await (await scene.viewer()).end();
    await quiet.end();
    expect(await scene.figures()).toContain('rport_limit_bites_total{limit="recordings_bytes"} 1');
  });
});

describe("who reads a recording", () => {
  it("is in the audit log with each reading, which goes on where it was, within minutes", async () => {
    let passedMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passedMs };
    await using scene = await TerminalScene.open({ recordsTerminals: true, clock });
    const host = await scene.host();
    const viewer = await scene.viewer();
    for (let count = 0; count < 20; count += 1) host.only.print(PIECE);
    await eventually(() => expect(viewer.text).toHaveLength(20 * PIECE.length));
    await viewer.end();
    await endedRecordings(scene.backend, 1);
    const params = { recordingId: `${host.only.opening.id}.1` };
    const read = async (from: string | null) => {
      const query = from === null ? {} : { from };
      const { next } = await scene.backend.api("readRecording", { params, query });
      const rows = await scene.backend.api("listAudit", { query: RECORDINGS });
      return { next, entries: rows.filter(({ action }) => action === "fetch").length };
    };
    const { next, entries } = await read(null);
    expect([typeof next, entries]).toEqual(["string", 1]);
    expect(await read(next)).toEqual({ next: null, entries: 1 });
    expect(await read(next)).toEqual({ next: null, entries: 2 });
    expect(await read(null)).toEqual({ next, entries: 3 });
    passedMs = 11 * 60_000;
    expect(await read(next)).toEqual({ next: null, entries: 4 });
  });
});

describe("a server that can record nothing", () => {
  it("says so in few lines, however often somebody comes", async () => {
    const openRecordingFile = () => Promise.reject(new Error("broken on purpose"));
    await using scene = await TerminalScene.open({ recordsTerminals: true, openRecordingFile });
    await scene.host();
    for (let count = 0; count < 8; count += 1) await (await scene.asking()).closed;
    const lines = scene.backend.logLines.filter(
      (line) => line.includes("a terminal cannot be recorded") && /error/i.test(line),
    );
    expect(lines).toHaveLength(5);
    expect(await scene.figures()).toContain("rport_recording_failures_total 8");
  });
});

/** Which recordings had to go, the first one first. */
async function expired(scene: TerminalScene): Promise<readonly unknown[]> {
  const rows = await scene.backend.api("listAudit", { query: RECORDINGS });
  return rows.filter(({ action }) => action === "expire").map(({ affected_id: id }) => id);
}
