import type { Frame } from "@rport/protocol/terminal/frame";
import {
  type HeldTerminal,
  type HostOpening,
  TERMINAL,
  type TerminalEnd,
  type TerminalSize,
} from "@rport/protocol/terminal/terminal";
import type { Channel } from "@rport/protocol/wire/channel";
import { guarded, type OnFault } from "@rport/protocol/wire/contain";
import type { ShellProgram, Shells } from "../machine/shells.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import { textOf } from "../platform/errorText.ts";
import type { Floods } from "./floods.ts";
import { Idleness } from "./idleness.ts";
import { Input } from "./input.ts";
import { Output } from "./output.ts";
import { LastOfMany } from "./pace.ts";
import { ProcessGroups } from "./processGroups.ts";
import type { OpenPty, ProgramExit, Pty } from "./pty.ts";
import { UrgentKeys } from "./urgentKeys.ts";
import { type Viewed, Viewer } from "./viewer.ts";

/** Who was hung up has so long to end by itself. */
const HANGUP_MS = 800;
/** A program that has ended, or a terminal that nobody has any more, is waited for no longer. */
const REST_MS = 1_000;
/** The program gets one size in this time, however many came. */
const RESIZE_MS = 50;
/** The ends that others than the program cause. */
export type ForcedEnd = Exclude<TerminalEnd["how"], "exit" | "signal" | "failed">;

/** What a terminal is made of. */
export interface TerminalDeps {
  readonly opening: HostOpening;
  readonly account: string;
  readonly program: ShellProgram;
  readonly open: OpenPty;
  readonly shells: Pick<Shells, "processes">;
  readonly clock: Clock;
  readonly floods: Floods;
  /** 0 for none. */
  readonly idleMs: number;
  readonly onFault: OnFault;
  /** What a viewer said that it may not. */
  onNonsense(error: string): void;
  /** Its processes are gone, as far as they obey. */
  onEnded(held: HeldTerminal): void;
  /** Nobody has to be shown it any more. */
  onOver(): void;
}

/** One terminal of this host: its program, its output as far as it is kept, and who looks at it. */
export class Terminal implements Viewed {
  readonly held: HeldTerminal;
  readonly output = new Output();
  readonly #deps: TerminalDeps;
  readonly #input: Input;
  readonly #pty: Pty;
  readonly #groups: ProcessGroups;
  readonly #urgentKeys: UrgentKeys;
  readonly #resizes: LastOfMany;
  readonly #idleness: Idleness;
  #viewer: Viewer | undefined;
  #leaving: Timer | undefined;
  /** That it has, or will have in a moment. */
  #size: TerminalSize;
  #isHeld = false;
  #hasStreamEnded = false;
  #exit: ProgramExit | undefined;
  #forced: ForcedEnd | undefined;
  #resting: Timer | undefined;
  #ended: TerminalEnd | undefined;

  /** Starts its program. Throws when that is not possible. */
  constructor(deps: TerminalDeps) {
    const { opening, clock, onFault, program } = deps;
    const { id, owner, ownerName, size } = opening;
    this.#deps = deps;
    this.#size = size;
    this.held = { id, owner, ownerName, account: deps.account, startedAtMs: clock.now() };
    this.#input = new Input({
      write: guarded(onFault, (bytes: Buffer) => this.#pty.write(bytes)),
      throwAway: () => this.#pty.throwAway(),
      onStuck: guarded(onFault, (bytes: Buffer) => this.#urgentKeys.seeObeyed(bytes)),
      onTaken: (offset) => this.#viewer?.tellTaken(offset),
    });
    this.#resizes = new LastOfMany(clock, RESIZE_MS);
    this.#pty = deps.open(program, size, {
      onOutput: guarded(onFault, (bytes: Buffer) => this.#read(bytes)),
      onTaken: guarded(onFault, () => this.#input.taken()),
      onEndOfStream: guarded(onFault, () => this.#streamEnded()),
      onExit: guarded(onFault, (exit: ProgramExit) => this.#exited(exit)),
    });
    this.#groups = new ProcessGroups(this.#pty.pid, deps.shells.processes);
    const [pty, groups] = [this.#pty, this.#groups];
    this.#urgentKeys = new UrgentKeys({ pty, groups, clock, onFault });
    this.#idleness = new Idleness(clock, deps.idleMs, () => this.end("idle"));
    this.#awaitViewer();
  }

  /** Whether it was ended, or has: nobody can do anything in it. */
  get isOver(): boolean {
    return this.#ended !== undefined || this.#forced !== undefined;
  }

  /** Whether somebody or something else than its program ended it. */
  get isForced(): boolean {
    return this.#forced !== undefined;
  }

  /** Whether somebody looks at it. */
  get isViewed(): boolean {
    return this.#viewer !== undefined;
  }

  get lastWord(): TerminalEnd | undefined {
    return this.output.waiting === 0 ? this.#ended : undefined;
  }

  /** Gives it to a viewer; who had it before has it no more. */
  attach(channel: Channel, size: TerminalSize, from: number | undefined): void {
    this.#viewer?.dismiss();
    this.#leaving?.cancel();
    const { id, account, startedAtMs } = this.held;
    const shell = this.#deps.program.shell;
    const inputTaken = this.#input.begin();
    const outputFrom = this.output.begin(from);
    // Who goes on where it was has answered what came before; who is shown all that is kept, nothing.
    const { end, waiting } = this.output;
    const liveFrom = from === undefined ? end + waiting : outputFrom;
    const attached = { id, account, shell, startedAtMs, outputFrom, liveFrom, inputTaken };
    const viewer = new Viewer(channel, this, attached);
    this.#viewer = viewer;
    this.#resize(size);
    this.#regulate();
    viewer.begin(this.#deps);
  }

  /** Ends it: whoever looks at it is told at once, its processes have a moment. */
  end(how: ForcedEnd): void {
    if (this.isOver) return;
    this.#forced = how;
    this.output.forgetWaiting();
    this.#viewer?.end({ how });
    this.#hangUp();
  }

  /** Keeps nothing for anybody any more, who looks at it included; it has ended, or its end takes no longer. */
  letGo(): void {
    this.#leave();
  }

  /** What its viewer says. */
  onFrame(frame: Frame): void {
    if (frame.kind === "outputTaken") this.#confirm(frame.offset);
    else if (!this.isOver) this.#obey(frame);
  }

  #obey(frame: Frame): void {
    switch (frame.kind) {
      case "input":
        // Who is asked sees the size that its viewer had before.
        this.#resizes.hurry();
        this.#idleness.note();
        this.#input.add(frame.offset, frame.bytes);
        break;
      case "urgent":
        this.#idleness.note();
        this.#input.addUrgent(frame.offset, frame.bytes);
        break;
      case "resize":
        this.#resize(frame);
        break;
      case "signal":
        void this.#groups.signalFront(frame.signal);
        break;
      case "close":
        this.end("closed");
        break;
    }
  }

  /** Its viewer has gone. */
  onGone({ hasSeenEnd, fault }: Parameters<Viewed["onGone"]>[0]): void {
    if (fault !== undefined) this.#deps.onNonsense(textOf(fault));
    this.#viewer = undefined;
    if (hasSeenEnd && this.#ended !== undefined) this.#leave();
    else this.#awaitViewer();
  }

  #awaitViewer(): void {
    this.#leaving?.cancel();
    this.#leaving = this.#deps.clock.after(TERMINAL.keepMs, () => {
      if (this.#ended === undefined) this.end("left");
      else this.#leave();
    });
  }

  #read(bytes: Buffer): void {
    if (this.#forced !== undefined) return;
    this.#idleness.note();
    this.output.add(bytes);
    this.#regulate();
    this.#viewer?.showNews();
  }

  #confirm(offset: number): void {
    this.output.confirm(offset);
    this.#regulate();
    this.#viewer?.showNews();
  }

  /** The program waits while its viewer does not come along; what it wrote before its end is read. */
  #regulate(): void {
    const isFull = this.output.isFull && this.#exit === undefined && this.#forced === undefined;
    if (isFull === this.#isHeld || (this.#isHeld && !this.#mayGoOn)) return;
    this.#isHeld = isFull;
    if (isFull) this.#pty.hold();
    else this.#pty.release();
  }

  get #mayGoOn(): boolean {
    return this.output.isRoomy || this.#exit !== undefined || this.#forced !== undefined;
  }

  #resize({ cols, rows }: TerminalSize): void {
    if (cols === this.#size.cols && rows === this.#size.rows) return;
    this.#size = { cols, rows };
    this.#resizes.run(() => this.#pty.resize({ cols, rows }));
  }

  #exited(exit: ProgramExit): void {
    this.#exit = exit;
    this.#regulate();
    if (this.#hasStreamEnded) this.#finish();
    else this.#rest(() => this.#finish());
  }

  #streamEnded(): void {
    this.#hasStreamEnded = true;
    if (this.#exit !== undefined) this.#finish();
    else this.#rest(() => this.#hangUp());
  }

  #rest(then: () => void): void {
    this.#resting ??= this.#deps.clock.after(REST_MS, then);
  }

  /** As a terminal does whose line is cut; who does not end by that is ended. */
  #hangUp(): void {
    const { clock, onFault } = this.#deps;
    const kill = async () => {
      if (this.#ended !== undefined) return;
      await this.#groups.signalAll("KILL");
      this.#pty.close();
      this.#hasStreamEnded = true;
      clock.after(REST_MS, () => this.#finish());
    };
    void this.#groups.signalAll("HUP");
    clock.after(HANGUP_MS, guarded(onFault, kill));
  }

  /** Once: its processes are gone, and what they wrote is here. */
  #finish(): void {
    if (this.#ended !== undefined) return;
    this.#ended = this.#howEnded();
    for (const timer of [this.#resting, this.#idleness, this.#resizes, this.#urgentKeys]) {
      timer?.cancel();
    }
    this.#pty.close();
    this.#deps.onEnded({
      ...this.held,
      ended: { atMs: this.#deps.clock.now(), end: this.#ended },
    });
    if (this.#viewer !== undefined) this.#awaitViewer();
    this.#viewer?.show();
    // Who looked at it when it was ended was told so already.
    if (this.#forced !== undefined) this.#leave();
  }

  #leave(): void {
    this.#leaving?.cancel();
    this.#viewer?.dismiss();
    this.#viewer = undefined;
    this.#deps.onOver();
  }

  #howEnded(): TerminalEnd {
    const { code, signal } = this.#exit ?? {};
    if (this.#forced !== undefined) return { how: this.#forced, code, signal };
    if (signal !== undefined) return { how: "signal", signal };
    if (code !== undefined) return { how: "exit", code };
    return { how: "failed", text: "its program does not end" };
  }
}
