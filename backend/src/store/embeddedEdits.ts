import { RportError } from "@rport/protocol/errors";
import type { AuthId, SecretId } from "@rport/protocol/ids";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { Turns } from "../platform/turns.ts";
import type { Document } from "./document/document.ts";
import { type DocumentEdit, editDocument, isDocumentEdit } from "./document/documentEdit.ts";
import { isClientEdit } from "./edits/clientEdit.ts";
import type { Edit } from "./edits/edit.ts";
import { EditFeed, type Follower } from "./edits/editFeed.ts";
import type { EditStore, StoredCredentials, StoredPeople } from "./edits/editStore.ts";
import type { SecretEdit } from "./edits/secretEdit.ts";
import type { ClientRecord } from "./records/clientRecord.ts";
import { type ClientRows, clientStatements } from "./sqlite/clientRows.ts";
import type { Database, Statement } from "./sqlite/database.ts";
import {
  buryStatements,
  removeStatements,
  type SecretRows,
  secretStatement,
} from "./sqlite/secretRows.ts";

/** Where the edits are kept. */
export interface EmbeddedEditsDeps {
  readonly document: Pick<Document, "data" | "update">;
  readonly database: Pick<Database, "write">;
  readonly secretRows: SecretRows;
  readonly clientRows: ClientRows;
  readonly clock: Clock;
  readonly log: Log;
}

/** Every edit that is not written into the document. */
type RowEdit = Exclude<Edit, DocumentEdit>;

/**
 * Edits in one document and one SQLite file. The two have no transaction in common, so their order
 * is such that a crash between them leaves nothing that opens: secrets are there before their
 * credential, and a credential is marked before anything of it goes.
 */
export class EmbeddedEdits implements EditStore {
  readonly #deps: EmbeddedEditsDeps;
  readonly #feed: EditFeed;
  readonly #turns = new Turns<string>();
  /** Secrets that a failing disk kept; a later credential of the same name must not inherit them. */
  readonly #leftOver = new Map<SecretId, AuthId>();

  constructor(deps: EmbeddedEditsDeps) {
    this.#deps = deps;
    this.#feed = new EditFeed(deps.log);
  }

  async readCredentials(): Promise<StoredCredentials> {
    const { document, secretRows, clock } = this.#deps;
    const marked = document.data.credentials.filter(({ state }) => state === "revoked");
    await this.#unlessFull(async () => {
      for (const { id } of marked) await this.#erase(id, clock.now());
    });
    const records = document.data.credentials;
    await this.#removeOrphans(new Set(records.map(({ id }) => id)));
    return {
      records,
      secrets: await secretRows.all(),
      rotations: await secretRows.rotations(),
      shifts: await secretRows.shifts(),
      deleted: await secretRows.deleted(),
    };
  }

  readClients(): Promise<ClientRecord[]> {
    return this.#deps.clientRows.all();
  }

  readPeople(): StoredPeople {
    return this.#deps.document.data;
  }

  async commit(edits: readonly Edit[], ahead: readonly Edit[] = []): Promise<void> {
    await this.settle([...ahead, ...edits]);
    this.#feed.announce(edits);
  }

  announce(edits: readonly Edit[]): void {
    this.#feed.announce(edits);
  }

  settle(edits: readonly Edit[]): Promise<void> {
    const ofDocument = edits.filter(isDocumentEdit);
    const ofRows = edits.filter((edit): edit is RowEdit => !isDocumentEdit(edit));
    if (ofDocument.length > 0) return this.#writeBoth(ofDocument, ofRows);
    return this.#deps.database.write(ofRows.flatMap(statementsOf));
  }

  follow(follower: Follower): void {
    this.#feed.follow(follower);
  }

  turn<T>(key: string, job: () => Promise<T>): Promise<T> {
    return this.#turns.run(key, job);
  }

  async #writeBoth(records: readonly DocumentEdit[], rows: readonly RowEdit[]): Promise<void> {
    if (rows.length > 0) await this.#clearLeftOver();
    try {
      await this.#deps.database.write(rows.flatMap(statementsOf));
      for (const edit of records) if (edit.kind === "erase") await this.#bury(edit);
      await this.#editDocument(records);
    } catch (caught) {
      await this.#takeBack(rows);
      throw caught;
    }
  }

  #editDocument(edits: readonly DocumentEdit[]): Promise<void> {
    return this.#deps.document.update((data) => edits.reduce(editDocument, data));
  }

  #bury({ credential, atMs }: { readonly credential: AuthId; readonly atMs: number }) {
    return this.#deps.database.write(buryStatements(credential, atMs));
  }

  async #erase(credential: AuthId, atMs: number): Promise<void> {
    await this.settle([{ kind: "erase", credential, atMs }]);
  }

  /** Secrets without a credential are what a crash during a `create` leaves. */
  async #removeOrphans(known: ReadonlySet<AuthId>): Promise<void> {
    const { secretRows } = this.#deps;
    const secrets = await secretRows.all();
    const rows = [...secrets, ...(await secretRows.rotations()), ...(await secretRows.shifts())];
    const orphans = new Set(rows.map((row) => row.credential_id).filter((id) => !known.has(id)));
    await this.#unlessFull(
      () => this.#deps.database.write([...orphans].flatMap(removeStatements)),
      () => {
        for (const row of secrets) {
          if (orphans.has(row.credential_id)) this.#leftOver.set(row.id, row.credential_id);
        }
      },
    );
  }

  /**
   * Finishes what a crash interrupted. A full disk keeps nobody from starting: what is marked lets
   * nobody in either way, and the next start finishes it.
   */
  async #unlessFull(
    finish: () => Promise<void>,
    otherwise: () => void = () => undefined,
  ): Promise<void> {
    try {
      await finish();
    } catch (caught) {
      if (!(caught instanceof RportError) || caught.code !== "DISK_FULL") throw caught;
      this.#deps.log.error("the disk is full: what was interrupted is not finished yet");
      otherwise();
    }
  }

  /** What stays behind when the disk fails here goes before the next `create`, or at the next start. */
  async #takeBack(edits: readonly RowEdit[]): Promise<void> {
    for (const edit of edits) {
      if (edit.kind === "add") this.#leftOver.set(edit.row.id, edit.row.credential_id);
    }
    await this.#clearLeftOver().catch(() => undefined);
  }

  async #clearLeftOver(): Promise<void> {
    const left = [...this.#leftOver];
    const removals = left.map(
      ([id, credential]): SecretEdit => ({ kind: "remove", credential, id }),
    );
    await this.#deps.database.write(removals.map(secretStatement));
    for (const [id] of left) this.#leftOver.delete(id);
  }
}

function statementsOf(edit: RowEdit): readonly Statement[] {
  return isClientEdit(edit) ? clientStatements(edit) : [secretStatement(edit)];
}
