import { encodeFrame, type Frame } from "@rport/protocol/terminal/frame";
import {
  type Attached,
  attachedSchema,
  TERMINAL,
  type TerminalEnd,
  type TerminalId,
  type TerminalSize,
  type TerminalWish,
  terminalEndSchema,
} from "@rport/protocol/terminal/terminal";
import { t } from "@vscode/l10n";
import type { Clock } from "../support/clock.ts";
import { InputQueue } from "./inputQueue.ts";
import type { Dial, Link, LinkEnd } from "./link.ts";
import { LinkRules } from "./linkRules.ts";
import { Redial } from "./redial.ts";
import { Screen } from "./screen.ts";
import { isAnswer, isInterrupt } from "./typed.ts";

/** With more than this on its way, Ctrl+C does not wait behind it. */
const PASTE_BYTES = 1_024;

/** Where a viewer stands. */
export type ViewerState =
  | { readonly kind: "connecting" }
  | { readonly kind: "attached"; readonly attached: Attached }
  /** The way to the host was cut; it is tried again by itself. */
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "over"; readonly end: ViewerEnd };

/** How it ended. */
export type ViewerEnd =
  /** At the host. */
  | { readonly kind: "ended"; readonly end: TerminalEnd }
  /** There is no terminal, or none any more; `reason` is a sentence. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Another window goes on with it. */
  | { readonly kind: "takenOver" }
  /** By this side. */
  | { readonly kind: "left" };

/** What a viewer needs. */
export interface ViewerDeps {
  readonly wish: TerminalWish;
  readonly size: TerminalSize;
  readonly dial: Dial;
  readonly clock: Clock;
  /** 0 to 1, spreads attempts of many. */
  readonly random: () => number;
  /** Hands text to the terminal. */
  readonly show: (text: string) => void;
  readonly onState: (state: ViewerState) => void;
}

/**
 * One terminal of a host as the editor sees it: over as many connections, one after the other, as it
 * takes. Nothing that it shows or sends is lost or doubled by a cut.
 */
export class Viewer {
  readonly #deps: ViewerDeps;
  readonly #input = new InputQueue();
  readonly #screen: Screen;
  readonly #redial: Redial;
  #state: ViewerState = { kind: "connecting" };
  #link: Link | undefined;
  /** What its other side may say. */
  #rules = new LinkRules();
  #size: TerminalSize;
  /** Undefined: it has never been attached. */
  #attached: Attached | undefined;

  /** Connects at once. */
  constructor(deps: ViewerDeps) {
    this.#deps = deps;
    this.#size = deps.size;
    this.#screen = new Screen({
      clock: deps.clock,
      show: deps.show,
      onShown: (offset) => this.#send({ kind: "outputTaken", offset }),
    });
    const { clock, random } = deps;
    this.#redial = new Redial({ clock, random, dial: () => this.#connect() });
    this.#redial.now();
  }

  /** Where it stands. */
  get state(): ViewerState {
    return this.#state;
  }

  /** What the terminal is called at the host; undefined: it was never told of. */
  get id(): TerminalId | undefined {
    return this.#attached?.id;
  }

  /** Whether the program that writes wants to be told what is a paste. */
  get takesPastes(): boolean {
    return this.#screen.takesPastes;
  }

  /**
   * What the terminal sends: keys, a paste, its answers. False: it is more than anybody waits for, and thrown away.
   * Answers are, without a word, once more waits than the host lets be sent: whoever asks and does not listen gets none.
   * Ctrl+C ahead of what waits goes in its plain form: who reads it then, a program or its terminal, knows that one.
   */
  type(text: string): boolean {
    const typed = this.#screen.typed(text);
    if (typed === "" || this.#state.kind === "over") return true;
    if (this.#input.waiting > TERMINAL.inputWindowBytes && isAnswer(typed)) return true;
    if (isInterrupt(typed) && this.#input.waiting > PASTE_BYTES) this.#input.interrupt();
    else if (!this.#input.add(Buffer.from(typed))) return false;
    this.#sendInput();
    return true;
  }

  /** The terminal is as large as this from now on. */
  resize(size: TerminalSize): void {
    if (size.cols === this.#size.cols && size.rows === this.#size.rows) return;
    this.#size = size;
    this.#send({ kind: "resize", ...size });
  }

  /** There is a reason to hope, or to doubt: tries soon, or asks whether the other side is there. */
  nudge(): void {
    if (this.#state.kind === "waiting") this.#redial.soon();
    else this.#link?.check();
  }

  /** Nothing may go this way now, for a reason: cuts it, and tries again later. */
  interrupt(reason: string): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#lose({ kind: "lost", reason });
    link.close();
  }

  /** There is no way to it any more: it is over here, with a sentence. */
  refuse(reason: string): void {
    this.#end({ kind: "refused", reason });
  }

  /** Ends the terminal at the host. */
  close(): void {
    this.#send({ kind: "close" });
    this.detach();
  }

  /** Leaves it there, for whoever comes back. */
  detach(): void {
    this.#end({ kind: "left" });
  }

  #connect(): void {
    this.#rules = new LinkRules();
    this.#become({ kind: "connecting" });
    const link: Link = this.#deps.dial({
      opening: () => ({ size: this.#size, wish: this.#wish }),
      onFrame: (frame) => {
        if (link === this.#link) this.#take(frame);
      },
      onEnd: (end) => {
        if (link === this.#link) this.#lose(end);
      },
    });
    this.#link = link;
  }

  get #wish(): TerminalWish {
    if (this.#attached === undefined) return this.#deps.wish;
    return { kind: "resume", id: this.#attached.id, from: this.#screen.received };
  }

  #take(frame: Frame): void {
    if (!this.#rules.allows(frame)) this.#breakOff();
    else if (frame.kind === "attached") this.#attach(frame.json);
    else if (frame.kind === "ended") this.#end({ kind: "ended", end: endIn(frame.json) });
    else if (frame.kind === "output") this.#screen.take(frame.bytes);
    else if (frame.kind === "inputTaken") {
      this.#input.confirm(frame.offset);
      this.#sendInput();
    }
  }

  /** Whoever breaks the rules is not heard any more, and not asked again by itself. */
  #breakOff(): void {
    this.#link?.cut();
    this.#end({
      kind: "refused",
      reason: t("What the host or its server sent breaks the rules of terminals."),
    });
  }

  #attach(json: Buffer): void {
    const attached = parsed(attachedSchema, json);
    if (attached === undefined) {
      this.#end({
        kind: "refused",
        reason: t("The host sent something this version does not understand."),
      });
      return;
    }
    const wish = this.#wish;
    if (wish.kind === "resume" && wish.id !== attached.id) {
      this.#end({ kind: "refused", reason: t("The server gave another terminal than this one.") });
      return;
    }
    if (!this.#rules.begin(attached, this.#screen.received)) {
      this.#breakOff();
      return;
    }
    const isFirst = this.#attached === undefined;
    this.#attached = attached;
    this.#redial.attached();
    if (attached.outputFrom !== this.#screen.received) this.#skip(attached.outputFrom, isFirst);
    if (isFirst && attached.liveFrom !== undefined) this.#screen.replaysTo(attached.liveFrom);
    this.#input.resume(attached.inputTaken);
    this.#become({ kind: "attached", attached });
    this.#sendInput();
  }

  /** A host that gives less than was asked for has thrown it away. */
  #skip(offset: number, isFirst: boolean): void {
    const lost = offset - this.#screen.received;
    this.#screen.skipTo(offset);
    if (lost > 0 && !isFirst)
      this.#deps.show(`\r\n[${t("{0} bytes of output were lost", lost)}]\r\n`);
  }

  #sendInput(): void {
    if (this.#state.kind !== "attached") return;
    for (let frame = this.#input.next(); frame !== undefined; frame = this.#input.next()) {
      this.#send(frame);
    }
  }

  #send(frame: Frame): void {
    if (this.#state.kind !== "attached") return;
    this.#rules.onSent(frame);
    this.#link?.send(encodeFrame(frame));
  }

  #lose(end: LinkEnd): void {
    if (end.kind !== "lost") {
      this.#end(end);
      return;
    }
    // a shell that was asked for and never told of may be there: another one is not begun unasked
    if (this.#attached === undefined && this.#deps.wish.kind === "new") {
      this.#end({ kind: "refused", reason: end.reason });
      return;
    }
    this.#link = undefined;
    this.#become({ kind: "waiting", reason: end.reason });
    this.#redial.later();
  }

  #end(end: ViewerEnd): void {
    if (this.#state.kind === "over") return;
    this.#screen.end();
    this.#redial.cancel();
    this.#become({ kind: "over", end });
    const link = this.#link;
    this.#link = undefined;
    link?.close();
  }

  #become(state: ViewerState): void {
    this.#state = state;
    this.#deps.onState(state);
  }
}

function endIn(json: Buffer): TerminalEnd {
  return parsed(terminalEndSchema, json) ?? { how: "failed" };
}

interface Schema<T> {
  safeParse(value: unknown): { readonly data?: T | undefined };
}

function parsed<T>(schema: Schema<T>, json: Buffer): T | undefined {
  try {
    return schema.safeParse(JSON.parse(json.toString("utf8"))).data;
  } catch {
    return undefined;
  }
}
