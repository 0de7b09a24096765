import { createSecretKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { clientIdSchema } from "@rport/protocol/ids";
import {
  type RecordingState,
  recordingEndSchema,
  recordingIdSchema,
} from "@rport/protocol/terminal/recording";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../backend/src/platform/clock.ts";
import { CastQueue } from "../../../../backend/src/recordings/castQueue.ts";
import { lookAtRecording } from "../../../../backend/src/recordings/lookAtRecording.ts";
import { readPiece } from "../../../../backend/src/recordings/readRecording.ts";
import { Recorder, type RecorderDeps } from "../../../../backend/src/recordings/recorder.ts";
import { fileKey, newPrefix } from "../../../../backend/src/recordings/sealedBlocks.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const TERMINAL_ID = terminalIdSchema.parse("A".repeat(22));
const ID = recordingIdSchema.parse(`${TERMINAL_ID}.1`);
const AUDIT_KEY = createSecretKey(Buffer.alloc(32));

/** The file of a recording in memory: of each append, until one fails half-way. */
class MemoryFile {
  bytes = Buffer.alloc(0);
  isBroken = false;

  async append(bytes: Buffer): Promise<void> {
    const length = this.isBroken ? 7 : bytes.length;
    this.bytes = Buffer.concat([this.bytes, bytes.subarray(0, length)]);
    if (this.isBroken) throw new Error("broken on purpose");
  }

  async settle(): Promise<void> {}
}

/** A recorder, and what it writes. */
async function begun(
  options: Partial<RecorderDeps> = {},
): Promise<{ recorder: Recorder; file: MemoryFile }> {
  const file = new MemoryFile();
  const prefix = newPrefix();
  const key = fileKey(AUDIT_KEY, prefix, ID);
  if (key === undefined) throw new Error("there is no key");
  const recorder = await Recorder.begin({
    file,
    prefix,
    key,
    meta: {
      terminalId: TERMINAL_ID,
      part: 1,
      clientId: clientIdSchema.parse("web-01"),
      hostname: "web-01",
      owner: "local",
      ownerName: "local",
      account: "root",
      startedAtMs: 0,
      size: { cols: 80, rows: 24 },
      term: "xterm",
    },
    heardTo: 0,
    maxBytes: 1 << 20,
    requireRoom: () => {},
    onFailed: (failure) => expect.unreachable(failure.message),
    clock: systemClock,
    ...options,
  });
  return { recorder, file };
}

/** What is told of a file with these bytes, and what whoever reads it is told. */
async function looked(bytes: Buffer): Promise<readonly RecordingState[]> {
  await using directory = await tempDirectory();
  const place = { id: ID, path: join(directory.path, "one.rec") };
  await writeFile(place.path, bytes);
  const { state } = await lookAtRecording(place, AUDIT_KEY);
  const question = { auditKey: AUDIT_KEY, from: undefined, isRunning: false };
  return [state, (await readPiece({ ...place, ...question })).state];
}

describe("S-65 a recorder", () => {
  it("lets nothing be shown that came after its end", async () => {
    const { recorder } = await begun();
    recorder.output(0, Buffer.from("before"));
    await recorder.end({ how: "closed" });
    await recorder.written();
    recorder.output(6, Buffer.from("after"));
    await expect(recorder.written()).rejects.toThrow("its recording has ended");
  });

  it.each<[string, Partial<RecorderDeps>, RecordingState]>([
    ["has come to its limit", { maxBytes: 4_000 }, "whole"],
    [
      "has no room",
      {
        requireRoom: (bytes) => {
          if (bytes > 200_000) throw new RportError("DISK_FULL", "no room");
        },
      },
      "unfinished",
    ],
    ["cannot be written", {}, "unfinished"],
  ])("that %s writes nothing more, whatever waits", async (how, options, told) => {
    const failed = Promise.withResolvers<RportError>();
    const { recorder, file } = await begun({ ...options, onFailed: failed.resolve });
    file.isBroken = how === "cannot be written";
    // More than one block takes, so that something waits when the first one fails.
    const piece = Buffer.from("x".repeat(30_000));
    for (let count = 0; count < 14; count += 1) recorder.output(count * piece.length, piece);
    await failed.promise;
    await expect(recorder.written()).rejects.toThrow();
    file.isBroken = false;
    await recorder.end({ how: "closed" });
    expect(await looked(file.bytes)).toEqual([told, told]);
    const partial = how === "cannot be written" ? 7 : 0;
    expect([recorder.bytes, recorder.outputTo]).toEqual([file.bytes.length - partial, 0]);
  });

  it("has its end where that is looked for, whatever signal a host claims", async () => {
    const end = recordingEndSchema.parse({ how: "signal", signal: "\u20ac".repeat(32) });
    expect(end).toEqual({ how: "signal", signal: undefined });
    const { recorder, file } = await begun();
    await recorder.end({ ...end, signal: "\u20ac".repeat(32) });
    expect(await looked(file.bytes)).toEqual(["whole", "whole"]);
    for (const signal of ["SIGTERM", "SIGRTMIN+3", "SIG34"]) {
      expect(recordingEndSchema.parse({ how: "signal", signal }).signal).toBe(signal);
    }
  });

  it("of a server that was killed before it wrote anything is unfinished, not altered", async () => {
    const { file } = await begun();
    for (const length of [0, 5, 47, 48, 60]) {
      const cut = await looked(file.bytes.subarray(0, length));
      expect(cut).toEqual(["unfinished", "unfinished"]);
    }
    expect(await looked(Buffer.from("other"))).toEqual(["altered", "altered"]);
  });

  it("says that what the file has, and no more, is recorded", async () => {
    const { recorder } = await begun();
    recorder.output(0, Buffer.from("abc\u20ac").subarray(0, 5));
    expect(recorder.outputTo).toBe(0);
    await recorder.written();
    expect(recorder.outputTo).toBe(3);
  });
});

describe("events that wait to be written", () => {
  it("are one for the output of one moment, however many frames it came in", () => {
    let nowMs = 0;
    const queue = new CastQueue(() => nowMs, 0);
    for (let offset = 0; offset < 1_000; offset += 1) queue.output(offset, Buffer.from("x"));
    nowMs = 5;
    queue.output(1_000, Buffer.from("later"));
    queue.resize({ cols: 1, rows: 2 });
    queue.output(1_005, Buffer.from("y"));
    const batch = queue.take();
    expect(batch?.text).toBe(
      `[0,"o","${"x".repeat(1_000)}"]\n[0.005,"o","later"]\n[0.005,"r","1x2"]\n[0.005,"o","y"]\n`,
    );
    expect(batch?.outputTo).toBe(1_006);
  });

  it("are no longer than one may be", () => {
    const queue = new CastQueue(() => 0, 0);
    const piece = Buffer.from("x".repeat(10_000));
    for (let count = 0; count < 8; count += 1) queue.output(count * piece.length, piece);
    const lines = queue.take()?.text.trimEnd().split("\n") ?? [];
    const lengths = lines.map((line) => JSON.parse(line)[2].length);
    expect(lengths).toEqual([30_000, 30_000, 20_000]);
  });
});
