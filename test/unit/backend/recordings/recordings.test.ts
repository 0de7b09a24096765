import { createSecretKey } from "node:crypto";
import { clientIdSchema } from "@rport/protocol/ids";
import { recordingIdSchema } from "@rport/protocol/terminal/recording";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { expect, it } from "vitest";
import { RecordingEvents } from "../../../../backend/src/audit/recordingEvents.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../../backend/src/limits/limitTable.ts";
import { systemClock } from "../../../../backend/src/platform/clock.ts";
import { openRecordingFile } from "../../../../backend/src/recordings/recordingFile.ts";
import { Recordings } from "../../../../backend/src/recordings/recordings.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const CLIENT_ID = clientIdSchema.parse("web-01");
const TEXT = Buffer.from("evidence");

/** The recordings of a server, of whose limits a test decides some. */
function recordingsIn(directory: string, values: SetLimits = {}) {
  const state = { held: Promise.resolve(), passedMs: 0 };
  const clock = { ...systemClock, now: () => systemClock.now() + state.passedMs };
  const { log } = testLog();
  const limits = new Limits({ values, clock, log });
  const recordings = new Recordings({
    directory,
    auditKey: createSecretKey(Buffer.alloc(32)),
    openFile: openRecordingFile,
    requireHeld: () => state.held,
    isWanted: () => true,
    onFailed: (_id, failure) => expect.unreachable(failure.message),
    events: new RecordingEvents({ audit: { note() {} }, limits, clock }),
    limits,
    clock,
    log,
  });
  /** Records a terminal whose id is made of this letter, and ends it. */
  const record = async (letter: string) => {
    const terminalId = terminalIdSchema.parse(`${letter.repeat(21)}A`);
    const recorder = await recordings.recorderOf({
      terminalId,
      clientId: CLIENT_ID,
      hostname: CLIENT_ID,
      owner: "local",
      ownerName: "local",
      account: "root",
      size: { cols: 80, rows: 24 },
      term: "xterm",
    });
    recorder.attached();
    recorder.output(0, TEXT);
    state.passedMs += 1_000;
    await recordings.over(terminalId, { how: "exit", code: 0 });
    return recordingIdSchema.parse(`${terminalId}.1`);
  };
  const ids = async () => (await recordings.all()).map(({ id }) => id);
  return { recordings, state, record, ids, [Symbol.asyncDispose]: () => recordings.close() };
}

it("deletes no recording for whoever may no longer when nothing is waited for any more", async () => {
  await using directory = await tempDirectory();
  await using scene = recordingsIn(directory.path);
  const { recordings, state, record, ids } = scene;
  const id = await record("A");
  const gate = Promise.withResolvers<void>();
  state.held = gate.promise;
  let isAllowed = true;
  const deleting = recordings.remove(id, () => {
    if (!isAllowed) throw new Error("no right any more");
  });
  isAllowed = false;
  gate.resolve();
  await expect(deleting).rejects.toThrow("no right any more");
  expect(await ids()).toEqual([id]);
  isAllowed = true;
  await recordings.remove(id, () => {});
  expect(await ids()).toEqual([]);
});

it("deletes a recording once, also for two who want that at once", async () => {
  await using directory = await tempDirectory();
  await using scene = recordingsIn(directory.path);
  const { recordings, record } = scene;
  const id = await record("A");
  const remove = () => recordings.remove(id, () => {});
  const [one, other] = await Promise.allSettled([remove(), remove()]);
  expect(one.status).toBe("fulfilled");
  expect(other).toMatchObject({ status: "rejected", reason: { code: "NOT_FOUND" } });
});

it.each(["recordings", "recordings_bytes"] as const)(
  "has the oldest go at once where %s was lowered, at nobody's expense",
  async (limit) => {
    await using directory = await tempDirectory();
    await using before = recordingsIn(directory.path);
    for (const letter of ["A", "B", "C"]) await before.record(letter);
    const [, , last] = await before.recordings.all();
    expect(last?.id).toMatch(/^C/);
    const max = limit === "recordings" ? 1 : last?.bytes;
    await using scene = recordingsIn(directory.path, { [limit]: max, stream_entries_per_user: 1 });
    expect(await scene.ids()).toEqual([last?.id]);
  },
);
