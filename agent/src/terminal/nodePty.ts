import { closeSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { ReadStream } from "node:tty";
import type { TerminalSize } from "@rport/protocol/terminal/terminal";
import { SYSTEM_PROGRAMS } from "../machine/programs.ts";
import type { ShellProgram } from "../machine/shells.ts";
import { giveTo } from "./ownership.ts";
import type { OpenPty, Pty, PtyListener } from "./pty.ts";
import { throwAwayUnread } from "./unread.ts";

/** The library of node-pty, as its own sources call it; this one version is called no other way. */
export interface PtyLibrary {
  fork(
    file: string,
    args: readonly string[],
    env: readonly string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    isUtf8: boolean,
    helper: string,
    onExit: (code: number, signal: number) => void,
  ): { readonly fd: number; readonly pid: number; readonly pty: string };
  resize(fd: number, cols: number, rows: number): void;
}

/**
 * The library leaves its terminals open in every program that is started, and who has one of another
 * account types into it: so all is closed before the program, and the account, begin. Other shells
 * than Bash cannot name descriptors above 9.
 */
export const BASH = "/bin/bash";
const CLOSE_ALL = `folder=/proc/self/fd
[ -e "$folder/0" ] || folder=/dev/fd
[ -e "$folder/0" ] || {
  printf '%s\\r\\n' 'no shell begins here: /proc is not there, so its open files cannot be told'
  exit 126
}
for path in "$folder"/*; do
  number=\${path##*/}
  if [ "$number" -gt 2 ]; then eval "exec $number>&-"; fi
done
exec "$@"`;
/** A terminal whose program reads nothing is tried again after this. */
const FULL_MS = 10;
/**
 * What is read at once. A terminal of Linux holds no more; where less comes than there is room for, Node
 * looks at everything else before it reads on.
 */
const READ_BYTES = 4_095;
/** Of its arguments for an account: as we are. */
const SAME = -1;
const SIGNALS = new Map(Object.entries(constants.signals).map(([name, code]) => [code, name]));

/** Opens terminals with the library of node-pty. */
export function nodePty(library: PtyLibrary): OpenPty {
  return (program, size, listener) => new NodePty(library, { program, size, listener });
}

interface NodePtyDeps {
  readonly program: ShellProgram;
  readonly size: TerminalSize;
  readonly listener: PtyListener;
}

class NodePty implements Pty {
  readonly pid: number;
  readonly #library: PtyLibrary;
  readonly #fd: number;
  /** Its device. */
  readonly #path: string;
  readonly #stream: ReadStream;
  readonly #listener: PtyListener;
  /** Tries again to give what the terminal has no room for. */
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(library: PtyLibrary, { program, size, listener }: NodePtyDeps) {
    const { file, args, cwd, env } = program;
    const { cols, rows } = size;
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const onExit = (code: number, signal: number) =>
      listener.onExit(signal === 0 ? { code } : { signal: SIGNALS.get(signal) });
    this.#library = library;
    this.#listener = listener;
    const { fd, pid, pty } = library.fork(
      BASH,
      ["--norc", "--noprofile", "-c", CLOSE_ALL, "bash", file, ...args],
      variables,
      cwd,
      cols,
      rows,
      SAME,
      SAME,
      false,
      "",
      onExit,
    );
    this.#fd = fd;
    this.#path = pty;
    this.pid = pid;
    giveTo(pty, program.uid);
    this.#stream = this.#opened();
  }

  write(bytes: Buffer): void {
    this.#retry = undefined;
    if (this.#isClosed) return;
    const written = this.#written(bytes);
    if (written === bytes.length) this.#tellTaken();
    else this.#retry = setTimeout(() => this.write(bytes.subarray(written)), FULL_MS);
  }

  async throwAway(): Promise<boolean> {
    if (this.#isClosed) return false;
    if (this.#retry !== undefined) {
      clearTimeout(this.#retry);
      this.#retry = undefined;
      this.#tellTaken();
    }
    return await throwAwayUnread(this.#path);
  }

  #tellTaken(): void {
    setImmediate(() => this.#isClosed || this.#listener.onTaken());
  }

  /**
   * How many the terminal has room for. The descriptor is one that does not wait; the stream would make
   * the whole process wait for a program that reads nothing.
   */
  #written(bytes: Buffer): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
      return isFull ? 0 : bytes.length;
    }
  }

  async obeysKeys(): Promise<boolean> {
    const { stdout } = await SYSTEM_PROGRAMS.run("stty", ["-F", this.#path, "-a"]);
    return /(^|\s)isig\b/.test(stdout);
  }

  resize({ cols, rows }: TerminalSize): void {
    if (!this.#isClosed) this.#library.resize(this.#fd, cols, rows);
  }

  hold(): void {
    this.#stream.pause();
  }

  release(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#stream.destroy();
  }

  /** Its end is an error for Node: the last process has closed the terminal. */
  #opened(): ReadStream {
    const stream = this.#streamOf();
    stream.on("error", () => undefined);
    stream.on("close", () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#listener.onEndOfStream();
    });
    return stream;
  }

  /** Without it there is no terminal: closing it hangs up who has begun in it. */
  #streamOf(): ReadStream {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (length: number) => {
      const bytes = length === READ_BYTES ? buffer : buffer.subarray(0, length);
      if (!this.#isClosed) this.#listener.onOutput(bytes);
      return true;
    };
    try {
      const stream = new ReadStream(this.#fd, { onread: { buffer, callback } });
      return stream.resume();
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }
}
