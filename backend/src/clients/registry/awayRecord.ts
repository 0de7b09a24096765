import type { ConnectionEnd } from "@rport/protocol/model";
import { toTime } from "../../platform/clock.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";

/** What is known of a connection that has ended. */
export interface Ended {
  /** When its agent said something last; undefined: it said nothing. */
  readonly lastHeardAtMs: number | undefined;
  /** How it ended; undefined: it has not yet. */
  readonly end: ConnectionEnd | undefined;
}

/** What is known of a connection that was there when the server ended. */
const WITH_THE_SERVER: ConnectionEnd = { kind: "server", text: "the server ended" };

/** The record of a client whose connection has ended. */
export function awayRecord(record: ClientRecord, ended: Ended, nowMs: number): ClientRecord {
  const { lastHeardAtMs, end } = ended;
  const heard_at = lastHeardAtMs === undefined ? record.connected_at : toTime(lastHeardAtMs);
  return { ...record, disconnected_at: toTime(nowMs), heard_at, connection_end: end ?? null };
}

/**
 * A record as it is at a start of the server, where nobody is connected. One that was connected when
 * the server ended was so until then, as far as anybody can tell.
 */
export function loadedRecord(stored: ClientRecord, nowMs: number): ClientRecord {
  if (stored.disconnected_at !== null) return stored;
  const at = toTime(nowMs);
  return { ...stored, disconnected_at: at, heard_at: at, connection_end: WITH_THE_SERVER };
}
