import { createSecretKey } from "node:crypto";
import { clientIdSchema } from "@rport/protocol/ids";
import { recordingIdSchema } from "@rport/protocol/terminal/recording";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { expect, it } from "vitest";
import { RecordingEvents } from "../../../../backend/src/audit/recordingEvents.ts";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import { systemClock } from "../../../../backend/src/platform/clock.ts";
import { openRecordingFile } from "../../../../backend/src/recordings/recordingFile.ts";
import { Recordings } from "../../../../backend/src/recordings/recordings.ts";
import { testLog } from "../../../support/log.ts";
import { tempDirectory } from "../../../support/tempDirectory.ts";

const TERMINAL_ID = terminalIdSchema.parse("A".repeat(22));
const ID = recordingIdSchema.parse(`${TERMINAL_ID}.1`);

it("deletes no recording for whoever may no longer when nothing is waited for any more", async () => {
  await using directory = await tempDirectory();
  const clock = systemClock;
  const { log } = testLog();
  const limits = new Limits({ clock, log });
  let held = Promise.resolve();
  const recordings = new Recordings({
    directory: directory.path,
    auditKey: createSecretKey(Buffer.alloc(32)),
    openFile: openRecordingFile,
    requireHeld: () => held,
    isWanted: () => true,
    onFailed: (_id, failure) => expect.unreachable(failure.message),
    events: new RecordingEvents({ audit: { note() {} }, limits, clock }),
    limits,
    clock,
    log,
  });
  const recorder = await recordings.recorderOf({
    terminalId: TERMINAL_ID,
    clientId: clientIdSchema.parse("web-01"),
    hostname: "web-01",
    owner: "local",
    ownerName: "local",
    account: "root",
    size: { cols: 80, rows: 24 },
    term: "xterm",
  });
  recorder.attached();
  recorder.output(0, Buffer.from("evidence"));
  await recordings.close();
  const gate = Promise.withResolvers<void>();
  held = gate.promise;
  let isAllowed = true;
  const deleting = recordings.remove(ID, () => {
    if (!isAllowed) throw new Error("no right any more");
  });
  isAllowed = false;
  gate.resolve();
  await expect(deleting).rejects.toThrow("no right any more");
  expect((await recordings.all()).map(({ id }) => id)).toEqual([ID]);
  isAllowed = true;
  await recordings.remove(ID, () => {});
  expect(await recordings.all()).toEqual([]);
});
