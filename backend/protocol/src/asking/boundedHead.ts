import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";

/** An answer's head, and what may come before it, have a few hundred bytes. */
const HEAD_MAX_BYTES = 64 << 10;

/**
 * Ends a request with an error when more than 64 KiB came and none of the events has: a server may send answers
 * in advance (status 1xx) without end, and headers without end. The events have to be ones that somebody
 * listens to already.
 */
export function boundHead(
  request: ClientRequest,
  events: readonly ("upgrade" | "response")[],
): ClientRequest {
  let bytes = 0;
  const onSocket = (socket: Socket) => {
    const count = (piece: Buffer) => {
      bytes += piece.length;
      if (bytes <= HEAD_MAX_BYTES) return;
      end();
      request.destroy(new Error("it sends more before its answer than any server does"));
    };
    const end = () => void socket.off("data", count);
    for (const event of [...events, "close"] as const) {
      // before who gets the connection, and reads on
      request.prependOnceListener(event, () => {
        bytes = Number.NEGATIVE_INFINITY;
        end();
      });
    }
    socket.on("data", count);
  };
  return request.once("socket", onSocket);
}

/**
 * Sends a request, and resolves with its answer once the head is there. Rejects with what went wrong until
 * then: also when too much comes before, and when the server wants to go on with another protocol, which
 * ends the connection without an error.
 */
export function answerTo(
  request: ClientRequest,
  content: string | Uint8Array | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    // stays: what goes wrong after the answer has begun, its reader is told by the answer's end
    request.on("error", reject);
    request.once("close", () => reject(new Error("the connection ended before an answer came")));
    boundHead(request, ["response"]).end(content);
  });
}
