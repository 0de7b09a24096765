import type { Socket } from "node:net";
import type { z } from "zod";
import { MESSAGE_MAX_CHARACTERS } from "./messages.ts";

/** Who does not read has this much waiting for it at the most. */
const WAITING_MAX_BYTES = 8 * 1024 * 1024;

/** Messages over a socket, one JSON text a line. Whoever sends anything else is cut off. */
export class LineSocket<In, Out> {
  readonly #socket: Socket;
  #unfinished = "";

  constructor(
    socket: Socket,
    schema: z.ZodType<In>,
    on: { readonly message: (message: In) => void; readonly end: () => void },
  ) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    // what was paused may have ended before anybody was there to hear of it
    if (socket.closed) setImmediate(on.end);
    else socket.once("close", on.end);
    socket.on("data", (text) => {
      for (const line of this.#linesOf(String(text))) {
        const message = parsed(line, schema);
        if (message === undefined || socket.destroyed) {
          socket.destroy();
          return;
        }
        on.message(message);
      }
    });
    socket.resume();
  }

  /** Sends a message; harmless when the other side has gone. */
  send(message: Out): void {
    if (this.#socket.destroyed) return;
    this.#socket.write(`${JSON.stringify(message)}\n`);
    if (this.#socket.writableLength > WAITING_MAX_BYTES) this.#socket.destroy();
  }

  /** Ends the connection at once. */
  close(): void {
    this.#socket.destroy();
  }

  /** Ends it after what was sent has gone out. */
  finish(): void {
    this.#socket.destroySoon();
  }

  #linesOf(text: string): readonly string[] {
    const lines = (this.#unfinished + text).split("\n");
    this.#unfinished = lines.pop() ?? "";
    const isTooLong = this.#unfinished.length > MESSAGE_MAX_CHARACTERS;
    if (isTooLong) this.#socket.destroy();
    return isTooLong ? [] : lines;
  }
}

function parsed<T>(line: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
