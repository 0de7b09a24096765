import { systemClock } from "../../../backend/src/platform/clock.ts";
import type { Edit } from "../../../backend/src/store/edits/edit.ts";
import { openStore } from "../../../backend/src/store/store.ts";
import { testLog } from "../log.ts";
import { clientRecord } from "./records.ts";

/** Records of one transaction. */
const BATCH = 500;

/** What is to be on record. */
export interface ManyRecords {
  readonly count: number;
  /** Bytes of each, roughly. */
  readonly bytes: number;
}

/** Puts clients that are away on record, in the data directory of a server that will start. */
export async function writeRecords(
  directory: string,
  { count, bytes }: ManyRecords,
): Promise<readonly string[]> {
  const store = await openStore({ directory, clock: systemClock, log: testLog().log });
  const ids = Array.from({ length: count }, (_, n) => `host-${n}`);
  const edits = ids.map((id): Edit => ({ kind: "seen", record: sizedRecord(id, bytes) }));
  for (let from = 0; from < edits.length; from += BATCH) {
    await store.edits.commit(edits.slice(from, from + BATCH));
  }
  await store.close();
  return ids;
}

/** As large as its labels make it. */
function sizedRecord(id: string, bytes: number) {
  const parts = Math.ceil(Math.max(0, bytes - 1_000) / 1_000);
  const labels = Array.from({ length: parts }, (_, n) => [`label-${n}`, "x".repeat(985)]);
  return clientRecord({ id, name: id, hostname: id, labels: Object.fromEntries(labels) });
}
