import { createRequire } from "node:module";
import { ReadStream, WriteStream } from "node:tty";
import type { PtyLibrary } from "../../agent/src/terminal/nodePty.ts";
import { serve } from "./childPort.ts";
import { type OpenTerminal, SHELL, SIZE, terminalHandlers } from "./terminalWork.ts";

// The least that a terminal can be: what terminals on hosts are compared with.
const library: PtyLibrary = createRequire(import.meta.url)(
  `@lydell/node-pty-${process.platform}-${process.arch}/pty.node`,
);
/** Of the library's arguments for an account: as we are. */
const SAME = -1;

const open: OpenTerminal = (onShown) => {
  const { cols, rows } = SIZE;
  const environment = [`PATH=${process.env.PATH}`, "TERM=xterm-256color"];
  const { fd, pid } = library.fork(
    ...([SHELL, [], environment, "/", cols, rows, SAME, SAME, false, "", () => {}] as const),
  );
  const decoder = new TextDecoder();
  const read = new ReadStream(fd);
  const written = new WriteStream(fd);
  read.on("data", (bytes: Buffer) => onShown(decoder.decode(bytes, { stream: true })));
  // Its end is an error for Node.
  read.on("error", () => {});
  return { type: (text) => written.write(text), close: () => process.kill(pid, "SIGKILL") };
};

serve(terminalHandlers(open));
