import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytes } from "../platform/random.ts";
import { StartFailure } from "../platform/startFailure.ts";
import { codeOf, syncDirectory, writeDurably } from "./durableFile.ts";

/** Only the owner enters. */
const DIRECTORY_MODE = 0o700;
/** Both keys are this many random bytes, written as hexadecimal digits. */
const KEY_BYTES = 32;
/** A directory with nothing but these is as good as an empty one. */
const HARMLESS = /^(lost\+found|lock\.sock|endpoint\.json|.*\.(toml|conf|log))$/;

/** The paths of what is in a data directory. */
export interface DataPaths {
  readonly directory: string;
  readonly document: string;
  readonly database: string;
  readonly hostKey: string;
  readonly verifierKey: string;
  readonly endpoint: string;
  /** There while a new directory is being filled. */
  readonly unfinished: string;
}

/** What makes the server this server; losing it makes every agent refuse or be refused. */
export interface Identity {
  /** The server's SSH key is derived from it. */
  readonly hostKeySeed: string;
  /** Keys the verifiers of generated secrets. */
  readonly verifierKey: Buffer;
}

/** Where things are in the data directory `directory`. */
export function dataPaths(directory: string): DataPaths {
  return {
    directory,
    document: join(directory, "rport.json"),
    database: join(directory, "rport.sqlite"),
    hostKey: join(directory, "server.key"),
    verifierKey: join(directory, "verifier.key"),
    endpoint: join(directory, "endpoint.json"),
    unfinished: join(directory, ".unfinished"),
  };
}

/** Makes sure the directory is there and only its owner enters it. */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
    await chmod(directory, DIRECTORY_MODE);
  } catch (caught) {
    throw ioFailure(directory, caught);
  }
}

/**
 * Whether the directory has to be filled for the first time. Fails with a `StartFailure` when it
 * is neither ours nor empty: starting there would be a silent new server beside lost data.
 */
export async function isNew(paths: DataPaths): Promise<boolean> {
  if (await exists(paths.document)) return false;
  if (await exists(paths.unfinished)) return true;
  const foreign = (await readdir(paths.directory)).filter((name) => !HARMLESS.test(name));
  if (foreign.length === 0) return true;
  const shown = foreign.slice(0, 5).join(", ");
  throw new StartFailure(
    "data",
    `${paths.directory} has no rport.json, but is not empty (${shown}). If this is the data ` +
      "directory of a server, its rport.json is missing: restore it, for example from rport.json.1. " +
      "If it is not, choose another with --data-dir. Nothing was changed.",
  );
}

/** Marks the directory as being filled, so that a crash before `finishFilling` can be repeated. */
export async function beginFilling(paths: DataPaths): Promise<void> {
  await writeFile(paths.unfinished, "", { mode: 0o600 });
  await syncDirectory(paths.directory);
  for (const path of [paths.hostKey, paths.verifierKey]) {
    if (!(await exists(path))) await writeDurably(path, `${bytes(KEY_BYTES).toString("hex")}\n`);
  }
}

/** The directory is complete. */
export async function finishFilling(paths: DataPaths): Promise<void> {
  await rm(paths.unfinished, { force: true });
}

/**
 * Reads the server's keys. A configured `keySeed` takes the place of the host key's file. Fails
 * with a `StartFailure` when one is missing or damaged: a new one would lock out every agent.
 */
export async function readIdentity(
  paths: DataPaths,
  keySeed: string | undefined,
): Promise<Identity> {
  return {
    hostKeySeed: keySeed ?? (await readKey(paths.hostKey)).toString("hex"),
    verifierKey: await readKey(paths.verifierKey),
  };
}

/** A failure of the disk as a reason not to start; what already is one stays as it is. */
export function ioFailure(path: string, caught: unknown): StartFailure {
  if (caught instanceof StartFailure) return caught;
  const reason = codeOf(caught) || String(caught);
  return new StartFailure("io", `${path} cannot be used (${reason}).`, { cause: caught });
}

async function readKey(path: string): Promise<Buffer> {
  const text = await readFile(path, "utf8").catch((caught: unknown) => {
    throw keyFailure(path, codeOf(caught) === "ENOENT" ? "is missing" : "cannot be read");
  });
  if (!/^[0-9a-f]{64}\s*$/.test(text)) throw keyFailure(path, "is damaged");
  await chmod(path, 0o600);
  return Buffer.from(text.trim(), "hex");
}

function keyFailure(path: string, what: string): StartFailure {
  return new StartFailure(
    "data",
    `${path} ${what}. Without it no agent would recognise this server or be recognised; ` +
      "restore it from your backup. Nothing was changed.",
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
