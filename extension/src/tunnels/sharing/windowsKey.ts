import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readOwnFile } from "@rport/protocol/local/ownFile";
import { systemCode } from "../../support/describeError.ts";
import type { Log } from "../../support/log.ts";
import { makeWhole } from "../../support/wholeFile.ts";
import { ensureOwnFolder } from "./ownFolder.ts";

const KEY_BYTES = 32;
const KEY = /^[0-9a-f]{64}$/;
const KEY_FILE_MAX_BYTES = 2 * KEY_BYTES;
/** How often it is looked whose key is there, while others take away one that was broken. */
const TRIES = 20;
const EXPOSED = "readable-by-others";

/** The folder in which the windows of a storage folder meet. */
export function windowsFolder(storage: string): string {
  return join(storage, "windows");
}

/**
 * The key by which the windows of a storage folder know each other. The first one that asks makes it, and of
 * several at once one does. A file that is no key, or that others could have read, is taken away and said, and
 * a new key made; so the key may be another one each time, and is asked for anew for whoever is to prove that
 * he has it. Rejects when there can be none: also, and without more ado, where a new one can be read by others.
 */
export async function windowsKey(storage: string, log: Log): Promise<Buffer> {
  const folder = windowsFolder(storage);
  await ensureOwnFolder(folder);
  const path = join(folder, "key");
  for (let left = TRIES; left > 0; left -= 1) {
    const found = await readKey(path);
    if (Buffer.isBuffer(found)) return found;
    if (found === EXPOSED && left < TRIES) {
      await rm(path, { force: true });
      throw new Error(`the file system of ${folder} keeps no file from other users`);
    }
    if (found !== "missing") {
      log.warn("the key of the windows cannot be used, and a new one is made", { why: found });
      await rm(path, { force: true });
    }
    await makeWhole(path, randomBytes(KEY_BYTES).toString("hex"));
  }
  throw new Error("the key of the windows is taken away each time that it is made");
}

/** The key that is there, or why there is none. */
async function readKey(path: string): Promise<Buffer | string> {
  const owner = process.geteuid?.();
  const read = await readOwnFile(path, { owner, maxBytes: KEY_FILE_MAX_BYTES }).catch(
    (error: unknown) => {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    },
  );
  if (read === undefined) return "missing";
  if (read.kind === "exposed") return EXPOSED;
  if (read.kind === "text" && KEY.test(read.text)) return Buffer.from(read.text, "hex");
  return "not-a-key";
}
