import type { AttributesChange } from "@rport/protocol/attributes";
import { RportError } from "@rport/protocol/errors";
import type { ClientRecord } from "../../store/records/clientRecord.ts";
import { givenTo, withGiven } from "./attributes.ts";
import { RECORD_MAX_BYTES } from "./inventory.ts";

/**
 * The record after people gave its client something: what is undefined stays as it is, null takes it
 * back. Fails with `CONFLICT` when the record would be larger than `RECORD_MAX_BYTES`.
 */
export function givenRecord(record: ClientRecord, change: AttributesChange): ClientRecord {
  const before = givenTo(record);
  const given = withGiven(record, {
    name: changed(before.name, change.name),
    tags: changed(before.tags, change.tags && [...new Set(change.tags)]),
    labels: changed(before.labels, change.labels),
  });
  if (Buffer.byteLength(JSON.stringify(given)) > RECORD_MAX_BYTES) {
    throw new RportError("CONFLICT", "With these its record would be too large.");
  }
  return given;
}

/** A record with what people gave it in another state of it, and with nothing else of that. */
export function regiven(record: ClientRecord, other: ClientRecord): ClientRecord {
  return withGiven(record, givenTo(other));
}

function changed<T>(before: T | undefined, change: T | null | undefined): T | undefined {
  return change === undefined ? before : (change ?? undefined);
}
