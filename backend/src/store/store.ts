import { chmod } from "node:fs/promises";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { StartFailure } from "../platform/startFailure.ts";
import { type ChangeNumbers, NOTHING_COUNTED } from "./changeNumbers.ts";
import { nameAccounts } from "./document/accountIds.ts";
import { Document } from "./document/document.ts";
import { firstDocument } from "./document/documentData.ts";
import { DocumentFile } from "./document/documentFile.ts";
import type { EditStore } from "./edits/editStore.ts";
import { EmbeddedEdits } from "./embeddedEdits.ts";
import type { DataPaths, Identity } from "./files/dataDirectory.ts";
import {
  beginFilling,
  dataPaths,
  finishFilling,
  foreignOwner,
  ioFailure,
  isNew,
  makeDirectory,
  readIdentity,
} from "./files/dataDirectory.ts";
import { type RequireHeld, removeLeftovers } from "./files/durableFile.ts";
import { HeldDirectory } from "./files/heldDirectory.ts";
import { lockDirectory } from "./files/lock.ts";
import { ClientRows } from "./sqlite/clientRows.ts";
import type { Database } from "./sqlite/database.ts";
import { RECORDS } from "./sqlite/migrations.ts";
import { SecretRows } from "./sqlite/secretRows.ts";
import { SqliteDatabase } from "./sqlite/sqliteDatabase.ts";

/** Everything the server keeps on disk. */
export interface Store {
  readonly paths: DataPaths;
  readonly identity: Identity;
  /** The one way to change what lasts. */
  readonly edits: EditStore;
  /** To be looked at; changed by `edits` only. */
  readonly document: Document;
  readonly database: Database;
  readonly secretRows: SecretRows;
  readonly clientRows: ClientRows;
  /** The numbers of the last changes that are known to be durable. */
  readonly lastNumbers: () => ChangeNumbers;
  /** How many later ones are known elsewhere, and were given up at this start. */
  readonly lostChanges: ChangeNumbers;
  /** Whether this start filled the directory for the first time. */
  readonly isNew: boolean;
  /** To be awaited before anything is written in the directory by its path. */
  readonly requireHeld: RequireHeld;
  /** Finishes what is being written, closes the files, gives the directory back. */
  close(): Promise<void>;
}

/** What a store is opened with. */
export interface StoreDeps {
  readonly directory: string;
  /** Takes the place of the server key's file when given. */
  readonly keySeed?: string | undefined;
  /**
   * The last changes that somebody else knows of, such as the audit log. A file without them has
   * lost some, and is refused.
   */
  readonly knownNumbers?:
    | ((paths: DataPaths, identity: Identity) => Promise<ChangeNumbers>)
    | undefined;
  /** Whether files that have lost changes are taken nevertheless. */
  readonly acceptLostChanges?: boolean | undefined;
  /** Called once when the directory was moved or replaced; nothing is written there from then on. */
  readonly onMoved?: (() => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Takes ownership of a data directory and opens what is in it; fills a missing or empty one.
 * Fails with a `StartFailure` that says what is wrong and what to do; then nothing was changed.
 */
export async function openStore(deps: StoreDeps): Promise<Store> {
  const paths = dataPaths(deps.directory);
  await makeDirectory(paths.directory);
  const uid = await foreignOwner(paths.directory);
  if (uid !== undefined) {
    const fields = { directory: paths.directory, uid };
    deps.log.warn(
      "the data directory belongs to another account, which may exchange its files",
      fields,
    );
  }
  // Before anything is put there: a directory of something else stays as it is.
  await isNew(paths);
  const lock = lockDirectory(paths.directory, deps.clock);
  try {
    const { directory } = paths;
    const { onMoved, clock, log } = deps;
    const held = new HeldDirectory({ directory, lock, onMoved, clock, log });
    return await openLocked(deps, paths, held);
  } catch (caught) {
    lock.release();
    throw caught;
  }
}

async function openLocked(deps: StoreDeps, paths: DataPaths, held: HeldDirectory): Promise<Store> {
  const file = new DocumentFile(paths.document, held.require);
  const fresh = await isNew(paths);
  if (fresh) await fill(paths, file, deps.clock);
  const document = await Document.open(file, deps.log);
  const identity = await readIdentity(paths, deps.keySeed);
  const known = await knownNumbers(deps, paths, identity);
  requireRevision(document, known, deps);
  const database = await openDatabase(deps, paths, known);
  let lostRevisions: number;
  try {
    lostRevisions = await document.passOver(known.revision);
    await nameAccounts(document, deps.log);
    await tidy(paths);
  } catch (caught) {
    await database.close();
    throw ioFailure(paths.directory, caught);
  }
  if (lostRevisions > 0) {
    deps.log.error("the document is taken without changes that were made", { lost: lostRevisions });
  }
  held.watch();
  const secretRows = new SecretRows(database);
  const clientRows = new ClientRows(database);
  const { clock, log } = deps;
  return {
    paths,
    identity,
    edits: new EmbeddedEdits({ document, database, secretRows, clientRows, clock, log }),
    document,
    database,
    secretRows,
    clientRows,
    lastNumbers: () => ({ commit: database.commit, revision: document.revision }),
    lostChanges: { commit: database.lost, revision: lostRevisions },
    isNew: fresh,
    requireHeld: held.require,
    close: async () => {
      await document.close();
      await database.close();
      await held.release();
    },
  };
}

async function knownNumbers(
  deps: StoreDeps,
  paths: DataPaths,
  identity: Identity,
): Promise<ChangeNumbers> {
  const known = await deps.knownNumbers?.(paths, identity).catch((caught: unknown) => {
    throw ioFailure(paths.audit, caught);
  });
  return known ?? NOTHING_COUNTED;
}

/**
 * Refuses a document that has not come as far as somebody knows. A crash makes none such: a number
 * is told to others only once the document that has it is durable.
 */
function requireRevision(
  { revision }: Document,
  known: ChangeNumbers,
  { acceptLostChanges = false, directory }: StoreDeps,
): void {
  if (revision >= known.revision || acceptLostChanges) return;
  const { document } = dataPaths(directory);
  throw new StartFailure("data", `${document} ${lossText(revision, known.revision)}`);
}

function lossText(revision: number, known: number): string {
  return (
    `lacks changes that were made: it is number ${revision}, and the audit log tells of number ${known}. ` +
    "It is an older copy: with it, users, tokens, sessions and credentials that were disabled, revoked or " +
    "deleted since would be good again. Nothing was changed. Put the whole directory back from one backup. If " +
    "there is none, --accept-lost-changes starts without those changes; the audit log says what they were."
  );
}

async function openDatabase(
  { acceptLostChanges = false, log }: StoreDeps,
  paths: DataPaths,
  { commit: leastCommit }: ChangeNumbers,
): Promise<SqliteDatabase> {
  const database = await SqliteDatabase.open({
    path: paths.database,
    create: false,
    schema: RECORDS,
    leastCommit,
    acceptLoss: acceptLostChanges,
  });
  if (database.lost > 0) {
    log.error("the database is taken without changes that were made", { lost: database.lost });
  }
  return database;
}

/** What a killed process left behind goes once everything else is found to be good. */
async function tidy(paths: DataPaths): Promise<void> {
  await removeLeftovers(paths.document);
  await chmod(paths.document, 0o600);
  await finishFilling(paths);
}

/** The document comes last: once it is there, so is everything else. */
async function fill(paths: DataPaths, file: DocumentFile, clock: Clock): Promise<void> {
  try {
    await beginFilling(paths);
    const database = await SqliteDatabase.open({
      path: paths.database,
      create: true,
      schema: RECORDS,
    });
    await database.close();
    await file.write(firstDocument(clock.now()));
  } catch (caught) {
    throw ioFailure(paths.directory, caught);
  }
}
