import type { Socket } from "node:net";

/** The first byte of a TLS record that begins a handshake, and how long its header is. */
const HANDSHAKE = 0x16;
const HEADER_BYTES = 5;
/** No record is longer. */
const RECORD_MAX_BYTES = 16_384 + 256;

/** What somebody begins with. */
export type Beginning = "tls" | "other";

/**
 * Waits until all of a connection's first TLS record has come, puts it back, and says so; or says that
 * it is none. Whoever sends nothing, or not enough, is never told of: that is the caller's to bound.
 */
export function awaitFirstRecord(raw: Socket, done: (beginning: Beginning) => void): void {
  let head = Buffer.alloc(0);
  const look = (): void => {
    for (let piece: Buffer | null = raw.read(); piece !== null; piece = raw.read()) {
      head = Buffer.concat([head, piece]);
    }
    const beginning = beginningOf(head);
    if (beginning === undefined) return;
    raw.off("readable", look);
    if (beginning === "tls") raw.unshift(head);
    done(beginning);
  };
  raw.on("readable", look);
}

/** Undefined: it cannot be said yet. */
export function beginningOf(head: Buffer): Beginning | undefined {
  const [type] = head;
  if (type !== undefined && type !== HANDSHAKE) return "other";
  if (head.length < HEADER_BYTES) return undefined;
  const bytes = head.readUInt16BE(HEADER_BYTES - 2);
  if (bytes > RECORD_MAX_BYTES) return "other";
  return head.length < HEADER_BYTES + bytes ? undefined : "tls";
}
