import { setImmediate as nextTurn } from "node:timers/promises";
import { clientIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { RecordWriter } from "../../../../../backend/src/clients/registry/recordWriter.ts";
import { clientRecord } from "../../../../support/backend/records.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

const GONE = 500;
/** What putting one record into words takes; four milliseconds are one turn's share. */
const RECORD_MS = 0.5;

it("F-21: the records of many clients that have gone at once are written a few per turn, and all of them", async () => {
  const clock = new FakeClock();
  const written: string[] = [];
  const writer = new RecordWriter({
    store: {
      settle: (edits) => {
        clock.advance(RECORD_MS);
        for (const edit of edits) if (edit.kind === "seen") written.push(edit.record.id);
        return Promise.resolve();
      },
    },
    clock,
    log: testLog().log,
    current: (id) => clientRecord({ id }),
  });
  const ids = Array.from({ length: GONE }, (_, n) => clientIdSchema.parse(`gone-${n}`));
  for (const id of ids) writer.mark(id);
  const flushed = writer.flush();
  const midway = new Set<number>();
  while (written.length < GONE) {
    await nextTurn();
    midway.add(written.length);
  }
  await flushed;
  expect(midway.size).toBeGreaterThan(GONE / 16);
  expect(written).toEqual(ids);
});
