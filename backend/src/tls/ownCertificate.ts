import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { dirname } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { errorText } from "../platform/log.ts";
import { bytes } from "../platform/random.ts";
import { StartFailure } from "../platform/startFailure.ts";
import { codeOf, writeDurably } from "../store/files/durableFile.ts";
import { parsePair } from "./certificatePair.ts";
import { selfSigned } from "./selfSigned.ts";

/** As much as any file of a certificate or its key may have. */
export const OWN_FILE_MAX_BYTES = 1_048_576;
const DAY_MS = 86_400_000;
/** Whoever pins the key does not look at the dates; ten years are for those that do. */
const VALID_DAYS = 3_650;
const RENEW_DAYS = 30;
/** Clocks of hosts may be behind. */
const EARLIER_MS = DAY_MS;
const SERIAL_BYTES = 16;
const NAMES_MAX = 64;
const DNS_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?$/;

/** Where they are. */
export interface OwnFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a certificate is made for. */
export interface OwnFacts {
  /** Names and addresses under which the server is reached, the best first. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

/**
 * Makes sure that a server has a key of its own for TLS, and a certificate of that key which is valid
 * for a month at least. A key that is there stays: hosts and editors know it by its pin. Fails with a
 * `StartFailure` when it is gone though its certificate is there.
 */
export async function ensureOwnCertificate(files: OwnFiles, facts: OwnFacts): Promise<void> {
  const key = await readIfThere(files.keyFile);
  const certificate = await readIfThere(files.certFile);
  if (key === undefined && certificate !== undefined) throw keyGone(files);
  if (key === undefined) await makeOwnKey(files, facts);
  else if (isDue(certificate, key, facts.nowMs)) await certify(files, createPrivateKey(key), facts);
}

/** Makes a new key and its certificate; whoever pins the one before refuses the server from then on. */
export async function makeOwnKey(files: OwnFiles, facts: OwnFacts): Promise<void> {
  await mkdir(dirname(files.keyFile), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await writeDurably(files.keyFile, pem);
  await certify(files, privateKey, facts);
}

/** What a server on this machine may be called: by its addresses in the settings, and by the machine's. */
export function ownNames(serverUrls: readonly string[]): readonly string[] {
  const said = serverUrls.map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ""));
  const cards = Object.values(networkInterfaces()).flatMap((card) => card ?? []);
  const addresses = cards.filter(({ scopeid }) => !scopeid).map(({ address }) => address);
  const all = [...said, hostname(), "localhost", ...addresses];
  const right = all.filter((name) => name.includes(":") || DNS_NAME.test(name));
  return [...new Set(right)].slice(0, NAMES_MAX);
}

/** There is no certificate, it is not this key's, or it ends within a month. */
function isDue(certificate: string | undefined, key: string, nowMs: number): boolean {
  if (certificate === undefined) return true;
  try {
    return parsePair(certificate, key).expiresAtMs - nowMs < RENEW_DAYS * DAY_MS;
  } catch {
    return true;
  }
}

async function certify(files: OwnFiles, key: KeyObject, { names, nowMs }: OwnFacts): Promise<void> {
  const certificate = selfSigned({
    key,
    names,
    serial: bytes(SERIAL_BYTES),
    validFrom: new Date(nowMs - EARLIER_MS),
    expiresAt: new Date(nowMs + VALID_DAYS * DAY_MS),
  });
  await writeDurably(files.certFile, certificate);
}

async function readIfThere(path: string): Promise<string | undefined> {
  return await readSmallFile(path, OWN_FILE_MAX_BYTES).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new StartFailure("io", `${path} cannot be read (${codeOf(error) || errorText(error)}).`, {
      cause: error,
    });
  });
}

function keyGone({ keyFile }: OwnFiles): StartFailure {
  return new StartFailure(
    "data",
    `${keyFile} is missing: hosts and editors know this server by that key. Put it back from a backup; ` +
      "or make another one with: rport-backend tls new-key --yes",
  );
}
