import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import type { RecordingId } from "@rport/protocol/terminal/recording";
import { bytes } from "../platform/random.ts";

/** What every file of a recording begins with; behind it is its salt. */
const MAGIC = Buffer.from("rport-recording1", "latin1");
const SALT_BYTES = 32;
/** Where the first block begins. */
export const PREFIX_BYTES = MAGIC.length + SALT_BYTES;

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const HEAD_BYTES = 15;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What a block has beside its content. */
export const AROUND_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES;
/** Longer contents are not ours. */
export const CONTENT_MAX_BYTES = 1 << 20;
/** The content of an end: its place is known from the length of the file. */
export const END_CONTENT_BYTES = 512;

const KINDS = { header: 1, events: 2, end: 3 } as const;

/** What a block has: who recorded what, events, or how it ended. */
export type BlockKind = keyof typeof KINDS;

/** A block, as it is written. */
export interface Block {
  readonly kind: BlockKind;
  /** Counts from 0 within the file. */
  readonly number: number;
  /** So many bytes of the terminal's output are in the blocks up to this one. */
  readonly outputTo: number;
  readonly content: Buffer;
}

/** A block that was opened, and how much of the file it takes. */
export interface OpenedBlock extends Block {
  readonly length: number;
}

/** The begin of a new file. */
export function newPrefix(): Buffer {
  return Buffer.concat([MAGIC, bytes(SALT_BYTES)]);
}

/**
 * The key of one file: HKDF-SHA256 (RFC 5869) of the key of the audit log, with the file's own salt and the
 * id of the recording. So nothing of one file opens in another, nor under another name. Undefined: this
 * is no begin of a recording.
 */
export function fileKey(
  auditKey: KeyObject,
  prefix: Buffer,
  id: RecordingId,
): KeyObject | undefined {
  if (prefix.length < PREFIX_BYTES || !prefix.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  const salt = prefix.subarray(MAGIC.length, PREFIX_BYTES);
  return createSecretKey(
    Buffer.from(hkdfSync("sha256", auditKey, salt, `rport-recording:${id}`, KEY_BYTES)),
  );
}

/** Whether so few bytes can be what a crash left of a begin. */
export function isPartOfPrefix(given: Buffer): boolean {
  return (
    given.length < PREFIX_BYTES &&
    MAGIC.subarray(0, given.length).equals(given.subarray(0, MAGIC.length))
  );
}

/**
 * Seals a block with AES-256-GCM (NIST SP 800-38D): its head, which is authenticated and in the clear, a
 * random nonce, the content, the tag. The head has kind, number, `outputTo` and length, so a block opens
 * in its own place alone.
 */
export function sealBlock({ kind, number, outputTo, content }: Block, key: KeyObject): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt8(KINDS[kind], 0);
  head.writeUInt32BE(number, 1);
  head.writeUIntBE(outputTo, 5, 6);
  head.writeUInt32BE(content.length, 11);
  const nonce = bytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(head);
  const sealed = [cipher.update(content), cipher.final()];
  return Buffer.concat([head, nonce, ...sealed, cipher.getAuthTag()]);
}

/**
 * Opens the block at the begin of `given`, which has to have this number. `incomplete`: more of the file is
 * needed; `wrong`: it was not written there by whoever has the key.
 */
export function openBlock(
  given: Buffer,
  wanted: number | "any",
  key: KeyObject,
): OpenedBlock | "incomplete" | "wrong" {
  if (given.length < HEAD_BYTES) return "incomplete";
  const head = given.subarray(0, HEAD_BYTES);
  const kind = kindOf(head.readUInt8(0));
  const contentBytes = head.readUInt32BE(11);
  if (kind === undefined || contentBytes > CONTENT_MAX_BYTES) return "wrong";
  const number = head.readUInt32BE(1);
  if (wanted !== "any" && number !== wanted) return "wrong";
  const length = contentBytes + AROUND_BYTES;
  if (given.length < length) return "incomplete";
  const nonce = given.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, key, nonce)
    .setAAD(head)
    .setAuthTag(given.subarray(length - TAG_BYTES, length));
  try {
    const from = HEAD_BYTES + NONCE_BYTES;
    const content = Buffer.concat([
      decipher.update(given.subarray(from, from + contentBytes)),
      decipher.final(),
    ]);
    return { kind, number, outputTo: head.readUIntBE(5, 6), content, length };
  } catch {
    return "wrong";
  }
}

function kindOf(code: number): BlockKind | undefined {
  if (code === KINDS.header) return "header";
  if (code === KINDS.events) return "events";
  return code === KINDS.end ? "end" : undefined;
}
