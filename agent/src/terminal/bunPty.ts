import type { TerminalSize } from "@rport/protocol/terminal/terminal";
import type { ShellProgram, Shells } from "../machine/shells.ts";
import { type Brake, findBrake, type TerminalBrake } from "./brake.ts";
import { giveTo } from "./ownership.ts";
import type { OpenPty, Pty, PtyListener } from "./pty.ts";
import { throwAwayUnread } from "./unread.ts";

/** What of Bun's terminals is used here. */
interface BunTerminal {
  readonly inputFlags: number;
  readonly localFlags: number;
  write(bytes: Buffer): number;
  resize(cols: number, rows: number): void;
  close(): void;
}

interface BunProcess {
  readonly pid: number;
  readonly exited: Promise<number>;
  readonly exitCode: number | null;
  readonly signalCode: string | null;
  readonly terminal: BunTerminal;
}

/** What of Bun is used here. */
export interface BunRuntime {
  spawn(
    words: readonly string[],
    options: {
      readonly cwd: string;
      readonly env: Readonly<Record<string, string>>;
      readonly terminal: TerminalSize & {
        data(terminal: BunTerminal, bytes: Uint8Array): void;
        drain(terminal: BunTerminal): void;
        exit(terminal: BunTerminal): void;
      };
    },
  ): BunProcess;
}

const XON = Buffer.from([0x11]);
const XOFF = Buffer.from([0x13]);
/** What may come of a program after it was stopped; more: something let it go on, and not us. */
const AFTERWARDS_BYTES = 128 << 10;

/** Terminals of Bun itself; undefined: this is no Bun. */
export function bunRuntime(): BunRuntime | undefined {
  return (globalThis as { readonly Bun?: BunRuntime }).Bun;
}

/** Opens terminals with Bun's own. */
export function bunPty(bun: BunRuntime, shells: Shells): OpenPty {
  const brake = findBrake(shells);
  return (program, size, listener) => new BunPty(bun, { program, size, shells, brake, listener });
}

interface BunPtyDeps {
  readonly program: ShellProgram;
  readonly size: TerminalSize;
  readonly shells: Pick<Shells, "flags" | "terminals">;
  readonly brake: Brake | undefined;
  readonly listener: PtyListener;
}

/**
 * Bun cannot stop reading a terminal, so the terminal is told to let its program wait. Where that cannot
 * be said, it is stopped as a person would, with the keys that a terminal has for that: but only while
 * they are obeyed, because they are input otherwise.
 */
class BunPty implements Pty {
  readonly #process: BunProcess;
  readonly #flags: Shells["flags"];
  /** Undefined: it is not known which one it is. */
  readonly #device: string | undefined;
  readonly #brake: TerminalBrake | undefined;
  readonly #listener: PtyListener;
  #isHeld = false;
  /** We have stopped the program, and it was not let go on since. */
  #isStopped = false;
  #sinceStopped = 0;
  #isClosed = false;

  constructor(bun: BunRuntime, { program, size, shells, brake, listener }: BunPtyDeps) {
    const { file, args, cwd, env } = program;
    this.#flags = shells.flags;
    this.#listener = listener;
    const others = held(shells);
    this.#process = bun.spawn([file, ...args], {
      cwd,
      env,
      terminal: {
        cols: size.cols,
        rows: size.rows,
        data: (_terminal, bytes) => this.#read(bytes),
        // Nothing that was written waits then, our own keys included: no piece is taken for given early.
        drain: () => this.#isClosed || listener.onTaken(),
        exit: () => this.#isClosed || listener.onEndOfStream(),
      },
    });
    const child = this.#process;
    this.#device = onlyOf([...held(shells)].filter((device) => !others.has(device)));
    if (this.#device !== undefined) {
      giveTo(this.#device, program.uid);
      this.#brake = brake?.on(this.#device);
    }
    void child.exited.then(() =>
      listener.onExit({ code: child.exitCode ?? undefined, signal: child.signalCode ?? undefined }),
    );
  }

  get pid(): number {
    return this.#process.pid;
  }

  async obeysKeys(): Promise<boolean> {
    return (this.#process.terminal.localFlags & (this.#flags?.isig ?? 0)) !== 0;
  }

  write(bytes: Buffer): void {
    if (!this.#isClosed) this.#process.terminal.write(bytes);
  }

  async throwAway(): Promise<boolean> {
    if (this.#isClosed || this.#device === undefined) return false;
    return await throwAwayUnread(this.#device);
  }

  resize({ cols, rows }: TerminalSize): void {
    if (!this.#isClosed) this.#process.terminal.resize(cols, rows);
  }

  hold(): void {
    this.#isHeld = true;
    this.#stop();
  }

  release(): void {
    this.#isHeld = false;
    if (this.#isClosed) return;
    if (this.#isStopped && this.#brake?.goOn() !== true) this.write(XON);
    this.#isStopped = false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#process.terminal.close();
  }

  #read(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#sinceStopped += bytes.length;
    const goesOn = !this.#isStopped || this.#sinceStopped > AFTERWARDS_BYTES;
    if (this.#isHeld && goesOn) this.#stop();
    this.#listener.onOutput(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  #stop(): void {
    if (this.#isClosed) return;
    this.#sinceStopped = 0;
    this.#isStopped = this.#brake?.stop() ?? false;
    if (this.#isStopped) return;
    const isObeyed = (this.#process.terminal.inputFlags & (this.#flags?.ixon ?? 0)) !== 0;
    this.#isStopped = isObeyed;
    if (isObeyed) this.write(XOFF);
  }
}

function held(shells: Pick<Shells, "terminals">): ReadonlySet<string> {
  try {
    return shells.terminals();
  } catch {
    return new Set();
  }
}

function onlyOf(devices: readonly string[]): string | undefined {
  return devices.length === 1 ? devices[0] : undefined;
}
