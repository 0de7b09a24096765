import { chmod } from "node:fs/promises";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { ClientRows } from "./clientRows.ts";
import type { Database } from "./database.ts";
import type { DataPaths, Identity } from "./dataDirectory.ts";
import {
  beginFilling,
  dataPaths,
  finishFilling,
  ioFailure,
  isNew,
  makeDirectory,
  readIdentity,
} from "./dataDirectory.ts";
import { Document } from "./document.ts";
import { firstDocument } from "./documentData.ts";
import { DocumentFile } from "./documentFile.ts";
import { removeLeftovers } from "./durableFile.ts";
import type { DirectoryLock } from "./lock.ts";
import { lockDirectory } from "./lock.ts";
import { SecretRows } from "./secretRows.ts";
import { SqliteDatabase } from "./sqliteDatabase.ts";

/** Everything the server keeps on disk. */
export interface Store {
  readonly paths: DataPaths;
  readonly identity: Identity;
  readonly document: Document;
  readonly database: Database;
  readonly secretRows: SecretRows;
  readonly clientRows: ClientRows;
  /** Whether this start filled the directory for the first time. */
  readonly isNew: boolean;
  /** Finishes what is being written, closes the files, gives the directory back. */
  close(): Promise<void>;
}

/** What `openStore` needs. */
export interface StoreOptions {
  readonly directory: string;
  /** Takes the place of the server key's file when given. */
  readonly keySeed?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Takes ownership of a data directory and opens what is in it; fills a missing or empty one.
 * Fails with a `StartFailure` that says what is wrong and what to do; then nothing was changed.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const paths = dataPaths(options.directory);
  await makeDirectory(paths.directory);
  const lock = await lockDirectory(paths.directory, options.clock);
  try {
    return await openLocked(options, paths, lock);
  } catch (caught) {
    await lock.release();
    throw caught;
  }
}

async function openLocked(
  options: StoreOptions,
  paths: DataPaths,
  lock: DirectoryLock,
): Promise<Store> {
  const file = new DocumentFile(paths.document);
  const fresh = await isNew(paths);
  if (fresh) await fill(paths, file, options.clock);
  const document = await Document.open(file, options.log);
  const identity = await readIdentity(paths, options.keySeed);
  const database = await SqliteDatabase.open({ path: paths.database, create: false });
  try {
    await tidy(paths);
  } catch (caught) {
    await database.close();
    throw ioFailure(paths.directory, caught);
  }
  return {
    paths,
    identity,
    document,
    database,
    secretRows: new SecretRows(database),
    clientRows: new ClientRows(database),
    isNew: fresh,
    close: async () => {
      await document.close();
      await database.close();
      await lock.release();
    },
  };
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
    const database = await SqliteDatabase.open({ path: paths.database, create: true });
    await database.close();
    await file.write(firstDocument(clock.now()));
  } catch (caught) {
    throw ioFailure(paths.directory, caught);
  }
}
