import { createSecretKey } from "node:crypto";
import { clientIdSchema } from "@rport/protocol/ids";
import { recordingIdSchema } from "@rport/protocol/terminal/recording";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../backend/src/platform/clock.ts";
import { CastQueue } from "../../../../backend/src/recordings/castQueue.ts";
import { Recorder } from "../../../../backend/src/recordings/recorder.ts";
import { fileKey, newPrefix } from "../../../../backend/src/recordings/sealedBlocks.ts";

const TERMINAL_ID = terminalIdSchema.parse("A".repeat(22));

/** A recorder whose file is nowhere. */
async function begun(): Promise<Recorder> {
  const prefix = newPrefix();
  const id = recordingIdSchema.parse(`${TERMINAL_ID}.1`);
  const key = fileKey(createSecretKey(Buffer.alloc(32)), prefix, id);
  if (key === undefined) throw new Error("there is no key");
  return await Recorder.begin({
    file: { append: async () => {}, settle: async () => {} },
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
  });
}

describe("S-65 a recorder", () => {
  it("lets nothing be shown that came after its end", async () => {
    const recorder = await begun();
    recorder.output(0, Buffer.from("before"));
    await recorder.end({ how: "closed" });
    await recorder.written();
    recorder.output(6, Buffer.from("after"));
    await expect(recorder.written()).rejects.toThrow("its recording has ended");
  });

  it("says that what the file has, and no more, is recorded", async () => {
    const recorder = await begun();
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
