import type { ClientId } from "@rport/protocol/ids";
import type { Clock } from "../../platform/clock.ts";
import { type ForgetEdit, isClientEdit, memberChanged } from "../../store/edits/clientEdit.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";
import type { LiveSession } from "../liveSession.ts";
import { loadedRecord } from "./awayRecord.ts";
import type { Duplicates } from "./duplicates.ts";
import { regiven } from "./givenRecord.ts";
import type { LocalPresence } from "./presence.ts";
import type { RecordMap } from "./recordMap.ts";
import type { RecordWriter } from "./recordWriter.ts";

/** What following the edits needs. */
export interface RecordEditsDeps {
  readonly store: Pick<EditStore, "readClients" | "follow">;
  readonly records: RecordMap;
  readonly writer: RecordWriter;
  readonly presence: LocalPresence<LiveSession>;
  readonly duplicates: Duplicates;
  readonly clock: Clock;
}

/** What the store's edits do to the records of clients. */
export class RecordEdits {
  readonly #deps: RecordEditsDeps;

  constructor(deps: RecordEditsDeps) {
    this.#deps = deps;
  }

  /** Takes over what is on the disk, of clients that are not connected, whatever it says; then every edit. */
  async open(): Promise<void> {
    const { store } = this.#deps;
    for (const stored of await store.readClients()) this.#load(stored);
    store.follow((edits) => {
      for (const edit of edits) this.#follow(edit);
    });
  }

  #load(stored: ClientRecord): void {
    const { records, writer, clock } = this.#deps;
    const record = loadedRecord(stored, clock.now());
    records.put(record);
    if (record !== stored) writer.mark(record.id);
  }

  #follow(edit: Edit): void {
    if (!isClientEdit(edit)) return;
    if (edit.kind === "forget") {
      this.#forget(edit);
      return;
    }
    const changed = memberChanged(edit);
    // Its agent may have said something else while that was being written.
    if (edit.kind === "give") this.#change(edit.record.id, (now) => regiven(now, edit.record));
    else if (changed === undefined) this.#put(edit.record);
    else this.#change(edit.record.id, (now) => ({ ...now, ...changed }));
    if (edit.kind === "adopt") this.#drop(edit.from.client);
  }

  #put(record: ClientRecord): void {
    this.#deps.records.put(record);
    this.#deps.writer.mark(record.id);
  }

  #change(id: ClientId, after: (record: ClientRecord) => ClientRecord): void {
    const record = this.#deps.records.get(id);
    if (record !== undefined) this.#put(after(record));
  }

  #drop(id: ClientId): void {
    this.#deps.presence.forget(id);
    this.#deps.duplicates.forget(id);
    this.#deps.records.drop(id);
  }

  /** The row is off the disk; who came back or was revoked meanwhile has a record again. */
  #forget({ client: id, credential }: ForgetEdit): void {
    const { records, writer, presence } = this.#deps;
    const record = records.get(id);
    if (record === undefined) return;
    const isBack = presence.locate(id)?.isClosed === false;
    const isOther = record.client_auth_id !== credential || record.revoked_at !== null;
    if (isBack || isOther) writer.mark(id);
    else this.#drop(id);
  }
}
