import { toTime } from "../../platform/clock.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** The record of a client whose connection has ended; `heardAtMs`: when it said something last. */
export function awayRecord(
  record: ClientRecord,
  heardAtMs: number | undefined,
  nowMs: number,
): ClientRecord {
  const heard_at = heardAtMs === undefined ? record.connected_at : toTime(heardAtMs);
  return { ...record, disconnected_at: toTime(nowMs), heard_at };
}

/**
 * A record as it is at a start of the server, where nobody is connected. One that was connected when
 * the server ended was so until then, as far as anybody can tell.
 */
export function loadedRecord(stored: ClientRecord, nowMs: number): ClientRecord {
  if (stored.disconnected_at !== null) return stored;
  const at = toTime(nowMs);
  return { ...stored, disconnected_at: at, heard_at: at };
}
