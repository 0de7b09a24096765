import { createPrivateKey, generateKeyPair, type KeyObject, sign } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { encodeHostKey, type HostKeyProof, hostKeyProofText } from "@rport/protocol/hostKey";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { writeDurably } from "../platform/durableFile.ts";
import { textOf } from "../platform/errorText.ts";
import type { Log } from "../platform/log.ts";

/** An Ed25519 key in PEM has about 120 bytes. */
export const HOST_KEY_MAX_BYTES = 4_096;
const OWNER_ONLY = { mode: 0o600 };

/** The key by which the server knows this host again, whatever its id and its credential. */
export interface HostKey {
  /** As `new_connection` carries it. */
  readonly publicKey: string;
  /** The signature in base64. */
  prove(proof: HostKeyProof): string;
}

/** Where the key is kept below a data directory. */
export function hostKeyFileIn(dataDir: string): string {
  return join(dataDir, "host.key");
}

/**
 * The key of this host, made and durably kept at the first start. A file that holds no key is put
 * aside: a host with a new key can be reached and is pointed out, one that does not start is lost.
 * Undefined, and told in the log, when the directory cannot be read or written: a key that is gone
 * at the next start is worse than none.
 */
export async function openHostKey(dataDir: string, log: Log): Promise<HostKey | undefined> {
  const file = hostKeyFileIn(dataDir);
  try {
    const key = (await readKey(file, log)) ?? (await makeKey(file));
    return toHostKey(key);
  } catch (error) {
    log.warn("the host key cannot be kept, so there is none", { file, error: textOf(error) });
    return undefined;
  }
}

/** Makes this host a new one: the next start makes another key. Harmless when there is none. */
export async function forgetHostKey(dataDir: string): Promise<void> {
  await rm(hostKeyFileIn(dataDir), { force: true });
}

async function readKey(file: string, log: Log): Promise<KeyObject | undefined> {
  const text = await readSmallFile(file, HOST_KEY_MAX_BYTES).catch((error: unknown) => {
    // what is no small file is no key
    if (!(error instanceof Error && "code" in error)) return "";
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const key = parseKey(text);
  if (key !== undefined) return key;
  const aside = `${file}.damaged`;
  await rename(file, aside);
  log.warn("the host key is damaged; a new one is made", { file, aside });
  return undefined;
}

function parseKey(text: string): KeyObject | undefined {
  if (text.length > HOST_KEY_MAX_BYTES) return undefined;
  try {
    const key = createPrivateKey(text);
    return key.asymmetricKeyType === "ed25519" ? key : undefined;
  } catch {
    return undefined;
  }
}

async function makeKey(file: string): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)("ed25519");
  const text = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeDurably(file, text, OWNER_ONLY);
  return privateKey;
}

function toHostKey(key: KeyObject): HostKey {
  return {
    publicKey: encodeHostKey(key),
    prove: (proof) => sign(null, hostKeyProofText(proof), key).toString("base64"),
  };
}
