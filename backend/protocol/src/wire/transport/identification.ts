/** The line each side sends first (RFC 4253 4.2); RPort's deviate from `SSH-2.0` on purpose. */
export const SERVER_IDENT = "SSH-rport-v1-server";
/** The agent's line. */
export const CLIENT_IDENT = "SSH-rport-v1-client";
/** The line of each role. */
export const IDENT_OF = { server: SERVER_IDENT, client: CLIENT_IDENT } as const;

/** RFC 4253 4.2, line end included. */
const LINE_LIMIT_BYTES = 255;
const ACCEPTED = /^SSH-(2\.0|1\.99|rport)-[\x20-\x7e]+$/;
const LINE_FEED = 10;

/** What came of feeding bytes: the line is not complete, is not acceptable, or is there. */
export type Identification =
  | { readonly kind: "incomplete" }
  | { readonly kind: "refused"; readonly text: string }
  | { readonly kind: "complete"; readonly ident: string; readonly rest: Buffer };

/** Collects the peer's identification line out of bytes that may be cut anywhere. */
export class IdentificationReader {
  #line = Buffer.alloc(0);

  /** Takes the next bytes; what follows the line comes back as `rest`. */
  feed(bytes: Buffer): Identification {
    const end = bytes.indexOf(LINE_FEED);
    const part = end < 0 ? bytes : bytes.subarray(0, end + 1);
    if (this.#line.length + part.length > LINE_LIMIT_BYTES) {
      return { kind: "refused", text: "the identification line is too long" };
    }
    this.#line = Buffer.concat([this.#line, part]);
    if (end < 0) return { kind: "incomplete" };
    const ident = this.#line.toString("latin1").replace(/\r?\n$/, "");
    if (!ACCEPTED.test(ident)) return { kind: "refused", text: "this is not an RPort peer" };
    return { kind: "complete", ident, rest: bytes.subarray(end + 1) };
  }
}
