import type { ClientRecord } from "../../store/clientRecord.ts";
import type { SecretEdit } from "../../store/secretEdit.ts";

/** A record whose client may be here at the moment. */
export interface MovedRecord {
  readonly record: ClientRecord;
  readonly isConnected: boolean;
}

/** How a record is moved into another one. */
export interface RecordMove {
  /** To be on disk together with it. */
  readonly edits: readonly SecretEdit[];
  /** What the two become; throws `CONFLICT` when they must stay what they are. */
  readonly merge: (to: ClientRecord, from: MovedRecord) => ClientRecord;
}
