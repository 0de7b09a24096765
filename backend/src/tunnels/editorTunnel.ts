import type { Duplex } from "node:stream";
import { CLOSE_CODES, type ErrorCode, RportError } from "@rport/protocol/errors";
import type { Relays } from "@rport/protocol/wire/relay";
import { WireError } from "@rport/protocol/wire/wireError";
import type { WebSocket } from "ws";
import { EditorStream } from "./editorStream.ts";

/** A close frame has room for 123 bytes of reason. */
const REASON_MAX_BYTES = 120;

/** By what went wrong, the close codes that say so by themselves. */
const CLOSE_CODE_OF: Partial<Record<ErrorCode, number>> = {
  CLIENT_OFFLINE: CLOSE_CODES.offline,
  TARGET_NOT_ALLOWED: CLOSE_CODES.notAllowed,
  AGENT_REFUSED: CLOSE_CODES.unreached,
};

/** What an editor's socket is joined to, and beside whom. */
export interface EditorTunnelDeps {
  readonly dial: () => Promise<Duplex>;
  readonly relays: Relays;
}

/**
 * Joins an editor's WebSocket to a stream, as `EditorStream` says, and takes its turn among all that
 * is relayed. When `dial` fails, the socket is closed with the reason, and with the close code
 * that there is for it, else `CLOSE_CODES.refused`; a stream that is cut later closes it as cut off. Resolves when the socket is closed.
 */
export async function serveEditorTunnel(
  ws: WebSocket,
  { dial, relays }: EditorTunnelDeps,
): Promise<void> {
  const closed = new Promise<void>((resolve) => ws.once("close", () => resolve()));
  ws.on("error", () => ws.terminate());
  ws.pause();
  try {
    const stream = await dial();
    if (ws.readyState === ws.OPEN) await relays.join(editorOf(ws, stream), stream);
    else stream.destroy();
  } catch (error) {
    const { code, message } = RportError.from(error);
    ws.resume();
    ws.close(CLOSE_CODE_OF[code] ?? CLOSE_CODES.refused, shortReason(message));
  }
  await closed;
}

/**
 * A target that resets its connection ends its stream; with an error only the way to the client does, or without one
 * where that was gone before anybody looked.
 */
function editorOf(ws: WebSocket, stream: Duplex): EditorStream {
  const editor = new EditorStream(ws);
  if (stream.destroyed && !stream.readableEnded) {
    editor.destroy(stream.errored ?? new WireError("lost", "the way to the client was cut"));
  }
  stream.once("error", (error) => editor.destroy(error));
  return editor;
}

/** Cuts a text to what a close frame takes, between characters. */
export function shortReason(text: string): string {
  let short = text;
  while (Buffer.byteLength(short) > REASON_MAX_BYTES) short = short.slice(0, -1);
  return short.isWellFormed() ? short : short.slice(0, -1);
}
