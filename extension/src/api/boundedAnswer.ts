import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";

/**
 * The answer with its body read, which has at most `maxBytes` once it is unpacked. Of a longer one no
 * more is read: the connection is given up, and `TOO_LARGE` thrown.
 */
export async function boundedAnswer(response: Response, maxBytes: number): Promise<Response> {
  const { body, status, headers } = response;
  if (body === null) return response;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    // leaving the loop cancels the body
    if (length > maxBytes) throw new RportError("TOO_LARGE", t("The server's answer is too long."));
    pieces.push(piece);
  }
  return new Response(Buffer.concat(pieces), { status, headers });
}
