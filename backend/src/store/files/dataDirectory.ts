import { createSecretKey, type KeyObject } from "node:crypto";
import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { bytes } from "../../platform/random.ts";
import { StartFailure } from "../../platform/startFailure.ts";
import { codeOf, syncDirectory, writeDurably } from "./durableFile.ts";

/** Only the owner enters. */
const DIRECTORY_MODE = 0o700;
/** Each key is this many random bytes, written as hexadecimal digits. */
const KEY_BYTES = 32;
const KEY_FILE_MAX_BYTES = 1_024;
/** What the loss of the server's own keys would mean. */
const NOBODY_RECOGNISED = "no agent would recognise this server or be recognised";
/** A directory with nothing but these is as good as an empty one. */
const HARMLESS = /^(lost\+found|lock|lock\.(json|sock)|endpoint\.json|.*\.(toml|conf|log))$/;

/** The paths of what is in a data directory. */
export interface DataPaths {
  readonly directory: string;
  readonly document: string;
  readonly database: string;
  readonly serverKey: string;
  readonly verifierKey: string;
  readonly auditKey: string;
  /** Signs sessions; made anew when it is missing. */
  readonly sessionKey: string;
  /** The directory of the audit log. */
  readonly audit: string;
  /** The directory of the recordings of terminals; made with the first one. */
  readonly recordings: string;
  /** What the audit log is searched in; made anew from its files when it is missing. */
  readonly auditIndex: string;
  readonly endpoint: string;
  /** The certificate that the server makes for itself, where it does, and its key. */
  readonly ownCertificate: string;
  readonly ownCertificateKey: string;
  /** There while a new directory is being filled. */
  readonly unfinished: string;
}

/** What makes the server this server; losing it makes every agent refuse or be refused. */
export interface Identity {
  /** The server's SSH key is derived from it. */
  readonly serverKeySeed: string;
  /** Keys the verifiers of generated secrets. */
  readonly verifierKey: KeyObject;
  /** Seals the entries of the audit log, and the recordings of terminals. */
  readonly auditKey: KeyObject;
}

/** Where things are in the data directory `directory`. */
export function dataPaths(directory: string): DataPaths {
  return {
    directory,
    document: join(directory, "rport.json"),
    database: join(directory, "rport.sqlite"),
    serverKey: join(directory, "server.key"),
    verifierKey: join(directory, "verifier.key"),
    auditKey: join(directory, "audit.key"),
    sessionKey: join(directory, "sessions.key"),
    audit: join(directory, "audit"),
    recordings: join(directory, "recordings"),
    auditIndex: join(directory, "audit.sqlite"),
    endpoint: join(directory, "endpoint.json"),
    ownCertificate: join(directory, "tls", "server.crt"),
    ownCertificateKey: join(directory, "tls", "server.key"),
    unfinished: join(directory, ".unfinished"),
  };
}

/** Makes sure the directory is there and only its owner enters it. */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE }).catch(async () => {
      // With `recursive`, Node says ENOENT where the file system is read-only; without it, why.
      await mkdir(directory, { mode: DIRECTORY_MODE });
    });
    await chmod(directory, DIRECTORY_MODE);
  } catch (caught) {
    throw ioFailure(directory, caught);
  }
}

/**
 * The account that the directory belongs to, where it is neither ours nor root's: only root gets into such
 * a one. Undefined also on Windows.
 */
export async function foreignOwner(directory: string): Promise<number | undefined> {
  const own = process.getuid?.();
  const { uid } = await stat(directory);
  return own === undefined || uid === own || uid === 0 ? undefined : uid;
}

/**
 * Whether the directory has to be filled for the first time. Fails with a `StartFailure` when it
 * is neither ours nor empty: starting there would be a silent new server beside lost data.
 */
export async function isNew(paths: DataPaths): Promise<boolean> {
  // One look, not several: another start may be filling the directory meanwhile.
  const names = await readdir(paths.directory);
  if (names.includes(basename(paths.document))) return false;
  if (names.includes(basename(paths.unfinished))) return true;
  const foreign = names.filter((name) => !HARMLESS.test(name));
  if (foreign.length === 0) return true;
  const shown = foreign.slice(0, 5).join(", ");
  throw new StartFailure(
    "data",
    `${paths.directory} has no rport.json, but is not empty (${shown}). If this is the data ` +
      "directory of a server, its rport.json is missing: restore it from your backup, or from rport.json.1, " +
      "which lacks the last change. " +
      "If it is not, choose another with --data-dir. Nothing was changed.",
  );
}

/** Marks the directory as being filled, so that a crash before `finishFilling` can be repeated. */
export async function beginFilling(paths: DataPaths): Promise<void> {
  await writeFile(paths.unfinished, "", { mode: 0o600 });
  await syncDirectory(paths.directory);
  for (const path of [paths.serverKey, paths.verifierKey, paths.auditKey]) await makeKey(path);
}

/** The directory is complete. */
export async function finishFilling(paths: DataPaths): Promise<void> {
  await rm(paths.unfinished, { force: true });
}

/**
 * Reads the server's keys. A configured `keySeed` takes the place of the server key's file. Fails
 * with a `StartFailure` when one is missing or damaged: a new one would lock out every agent. A
 * directory without an audit log gets the key of it now.
 */
export async function readIdentity(
  paths: DataPaths,
  keySeed: string | undefined,
): Promise<Identity> {
  if (!(await exists(paths.audit))) await makeKey(paths.auditKey);
  const identity = {
    serverKeySeed: keySeed ?? (await readKey(paths.serverKey)).export().toString("hex"),
    verifierKey: await readKey(paths.verifierKey),
    auditKey: await auditKeyOf(paths),
  };
  const files = [paths.verifierKey, paths.auditKey];
  if (keySeed === undefined) files.push(paths.serverKey);
  for (const path of files) await chmod(path, 0o600);
  return identity;
}

/** The key of the audit log, for its verification. Fails with a `StartFailure`. */
export function auditKeyOf(paths: DataPaths): Promise<KeyObject> {
  return readKey(paths.auditKey, "nobody can tell whether the audit log was altered");
}

/** A failure of the disk as a reason not to start; what already is one stays as it is. */
export function ioFailure(path: string, caught: unknown): StartFailure {
  if (caught instanceof StartFailure) return caught;
  const reason = codeOf(caught) || String(caught);
  return new StartFailure("io", `${path} cannot be used (${reason}).`, { cause: caught });
}

async function makeKey(path: string): Promise<void> {
  if (await exists(path)) return;
  await writeDurably(path, `${bytes(KEY_BYTES).toString("hex")}\n`).catch((caught: unknown) => {
    throw ioFailure(path, caught);
  });
}

async function readKey(path: string, loss = NOBODY_RECOGNISED): Promise<KeyObject> {
  const text = await readSmallFile(path, KEY_FILE_MAX_BYTES).catch((caught: unknown) => {
    throw keyFailure(path, codeOf(caught) === "ENOENT" ? "is missing" : "cannot be read", loss);
  });
  if (!/^[0-9a-f]{64}\s*$/.test(text)) throw keyFailure(path, "is damaged", loss);
  return createSecretKey(text.trim(), "hex");
}

function keyFailure(path: string, what: string, loss: string): StartFailure {
  return new StartFailure(
    "data",
    `${path} ${what}. Without it ${loss}; restore it from your backup. Nothing was changed.`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (caught) {
    if (codeOf(caught) === "ENOENT") return false;
    throw ioFailure(path, caught);
  }
}
