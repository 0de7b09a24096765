import { isUtf8 } from "node:buffer";
import { createHmac, hash as digest, type KeyObject, timingSafeEqual } from "node:crypto";
import { type AuditBody, type AuditEntry, bodyOf } from "./entry.ts";

/** What the first entry of all continues. */
export const NO_HASH = "0".repeat(64);
/** Longer lines are not ours: every text in an entry has its limit. */
export const LINE_MAX_BYTES = 256 << 10;

/** The last entry of a chain; `seq` 0: there is none yet. */
export interface Head {
  readonly seq: number;
  /** 64 hexadecimal digits. */
  readonly hash: string;
}

/** Where every log begins. */
export const START: Head = { seq: 0, hash: NO_HASH };

/** An entry in its final form: one line without its end, and what the next one continues. */
export interface SealedEntry extends Head {
  readonly body: AuditBody;
  readonly line: string;
}

/** What a line turned out to be. `what` is half a sentence: "the entry was altered". */
export type Opened =
  | ({ readonly kind: "entry" } & SealedEntry)
  | { readonly kind: "wrong"; readonly what: string };

/** How every line ends; `prev` is the last member of the content. */
const SEAL = /^,"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})","mac":"([0-9a-f]{64})"\}$/;
const SEAL_BYTES = 222;
/** A number of as many digits as there are in years. */
const SOME = 100_000_000;
/** The part of that behind `prev`. */
const SIGNATURE_BYTES = 148;

/**
 * Seals an entry: its JSON, then the SHA-256 of the hash before (32 bytes) and of that JSON without
 * its last brace, then an HMAC-SHA-256 of that hash. Whoever changes an entry has to change all that
 * follow; whoever does that without the key is found by the HMACs.
 */
export function sealEntry(body: AuditBody, key: KeyObject): SealedEntry {
  const head = JSON.stringify(body).slice(0, -1);
  const hash = hashOf(body.prev, Buffer.from(head));
  const mac = macOf(key, hash).toString("hex");
  return { seq: body.seq, hash, body, line: `${head},"hash":"${hash}","mac":"${mac}"}` };
}

/** Bytes of the line that an entry will be, give or take a few digits of its numbers. */
export function lineBytes(entry: AuditEntry): number {
  const body = bodyOf(entry, {
    seq: SOME,
    at: new Date(0).toISOString(),
    commit: SOME,
    revision: SOME,
    prev: NO_HASH,
  });
  return Buffer.byteLength(JSON.stringify(body)) - 1 + SIGNATURE_BYTES + 1;
}

/**
 * Opens a line and checks its seal; whether it is in its place is for the caller to check. What was
 * sealed with the key was written by this server, so its content is taken as it is.
 */
export function openEntry(bytes: Buffer, key: KeyObject): Opened {
  const seal = SEAL.exec(bytes.subarray(-SEAL_BYTES).toString("latin1"));
  const [, prev = "", hash = "", mac = ""] = seal ?? [];
  if (seal === null) return wrong("the line is not an entry");
  const head = bytes.subarray(0, -SIGNATURE_BYTES);
  if (hashOf(prev, head) !== hash) return wrong("the entry was altered: its hash differs");
  if (!timingSafeEqual(macOf(key, hash), Buffer.from(mac, "hex"))) {
    return wrong("the entry was not written with this server's audit.key");
  }
  if (!isUtf8(head)) return wrong("the line is not an entry");
  const body: AuditBody = JSON.parse(`${head.toString("utf8")}}`);
  return { kind: "entry", seq: body.seq, hash, body, line: bytes.toString("utf8") };
}

/** Why an entry cannot come after `before`; undefined when it can. */
export function whyNotNext(before: Head, { seq, body }: SealedEntry): string | undefined {
  if (seq > before.seq + 1) {
    const from = before.seq + 1;
    return `entries are missing: seq ${from}${seq - 1 > from ? ` to ${seq - 1}` : ""}`;
  }
  if (seq < before.seq + 1) return `the entry is in the wrong place: seq ${seq} again`;
  if (body.prev !== before.hash) return "the entry does not continue the one before it";
  return undefined;
}

/**
 * Whether a file's last bytes, which no line end follows, can be what a crash left of a write.
 * False: they hold a whole entry and more, or more than any entry, so something was altered.
 */
export function isTorn(rest: Buffer): boolean {
  if (rest.length > LINE_MAX_BYTES) return false;
  return !/,"hash":"[0-9a-f]{64}","mac":"[0-9a-f]{64}"\}./s.test(rest.toString("latin1"));
}

function hashOf(prev: string, head: Buffer): string {
  return digest("sha256", Buffer.concat([Buffer.from(prev, "hex"), head]), "hex");
}

function macOf(key: KeyObject, hash: string): Buffer {
  return createHmac("sha256", key).update(`rport-audit:${hash}`).digest();
}

function wrong(what: string): Opened {
  return { kind: "wrong", what };
}
