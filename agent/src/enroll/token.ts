import { createReadStream } from "node:fs";
import { type PairingToken, pairingTokenSchema } from "@rport/protocol/pairing";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { textOf } from "../platform/errorText.ts";

/** A token has 26 characters; anything this long is something else. */
const MAX_BYTES = 1_024;
/** A line is enough: somebody who types does not end the input as well. */
const LINE_END = 0x0a;

/** Where a token comes from. It is never an argument: those are visible to every user. */
export type TokenSource =
  | { readonly kind: "stdin"; readonly stream: AsyncIterable<Buffer | string> }
  | { readonly kind: "file"; readonly path: string };

/**
 * Reads a pairing token; white space, line ends and a byte order mark around it do not matter.
 * Rejects with a usage failure that does not repeat what was read.
 */
export async function readToken(source: TokenSource): Promise<PairingToken> {
  const text = source.kind === "stdin" ? await drain(source.stream) : await readSmall(source.path);
  const parsed = pairingTokenSchema.safeParse(decode(text).trim());
  if (parsed.success) return parsed.data;
  throw new CliFailure(EXIT.usage, "The pairing token must have 26 letters and digits.");
}

/** PowerShell 5.1 pipes and writes UTF-16 with a byte order mark in places. */
function decode(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return bytes.toString(isUtf16 ? "utf16le" : "utf8").replaceAll("\ufeff", "");
}

async function drain(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new CliFailure(EXIT.usage, "This is not a pairing token.");
    if (chunks.at(-1)?.includes(LINE_END)) break;
  }
  return Buffer.concat(chunks);
}

async function readSmall(path: string): Promise<Buffer> {
  return drain(createReadStream(path)).catch((error: unknown) => {
    if (error instanceof CliFailure) throw error;
    throw new CliFailure(EXIT.usage, `The token file cannot be read: ${textOf(error)}`);
  });
}
