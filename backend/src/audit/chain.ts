import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { type AuditBody, auditBodySchema } from "./entry.ts";

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

const SEAL = /,"hash":"([0-9a-f]{64})","mac":"([0-9a-f]{64})"\}$/;

/**
 * Seals an entry: its JSON, then the SHA-256 of the hash before (32 bytes) and of that JSON without
 * its last brace, then an HMAC-SHA-256 of that hash. Whoever changes an entry has to change all that
 * follow; whoever does that without the key is found by the HMACs.
 */
export function sealEntry(body: AuditBody, key: Buffer): SealedEntry {
  const head = JSON.stringify(body).slice(0, -1);
  const hash = hashOf(body.prev, Buffer.from(head));
  const mac = macOf(key, hash).toString("hex");
  return { seq: body.seq, hash, body, line: `${head},"hash":"${hash}","mac":"${mac}"}` };
}

/** Opens a line and checks its seal; whether it is in its place is for the caller to check. */
export function openEntry(bytes: Buffer, key: Buffer): Opened {
  const line = bytes.toString("latin1");
  const seal = SEAL.exec(line);
  const [, hash = "", mac = ""] = seal ?? [];
  if (seal === null) return wrong("the line is not an entry");
  const head = bytes.subarray(0, seal.index);
  const body = parseBody(head);
  if (body === undefined) return wrong("the line is not an entry");
  if (hashOf(body.prev, head) !== hash) return wrong("the entry was altered: its hash differs");
  if (!timingSafeEqual(macOf(key, hash), Buffer.from(mac, "hex"))) {
    return wrong("the entry was not written with this server's audit.key");
  }
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

function parseBody(head: Buffer): AuditBody | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(head);
    const parsed = auditBodySchema.safeParse(JSON.parse(`${text}}`));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(prev: string, head: Buffer): string {
  return createHash("sha256").update(Buffer.from(prev, "hex")).update(head).digest("hex");
}

function macOf(key: Buffer, hash: string): Buffer {
  return createHmac("sha256", key).update(`rport-audit:${hash}`).digest();
}

function wrong(what: string): Opened {
  return { kind: "wrong", what };
}
