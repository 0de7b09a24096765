import type { Socket } from "node:net";

/** What nobody has proven anything with yet is not longer than this. */
const LINE_MAX_BYTES = 1024;
const LINE_END = 0x0a;

/**
 * The next line that comes, without its end; `gone` when the socket ends before it, `long` when it has more
 * than 1 KiB. The socket is left paused, with whatever came behind the line still to be read.
 */
export function nextLine(socket: Socket): Promise<Buffer | "gone" | "long"> {
  return new Promise((resolve) => {
    let text = Buffer.alloc(0);
    const finish = (line: Buffer | "gone" | "long") => {
      socket.pause().off("data", take).off("close", leave);
      resolve(line);
    };
    const leave = () => finish("gone");
    const take = (piece: Buffer) => {
      text = Buffer.concat([text, piece]);
      const end = text.indexOf(LINE_END);
      if (end > LINE_MAX_BYTES || (end === -1 && text.length > LINE_MAX_BYTES)) finish("long");
      if (end === -1 || end > LINE_MAX_BYTES) return;
      finish(text.subarray(0, end));
      if (text.length > end + 1) socket.unshift(text.subarray(end + 1));
    };
    if (socket.destroyed) resolve("gone");
    else socket.on("data", take).once("close", leave).resume();
  });
}
