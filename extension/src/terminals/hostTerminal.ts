import { t } from "@vscode/l10n";
import { EventEmitter, type Pseudoterminal, type TerminalDimensions } from "vscode";
import { Session, type SessionDeps } from "./session.ts";
import type { Member } from "./typeIntoAll.ts";

/** What a terminal of the editor adds to a session. */
export interface HostTerminalDeps extends Omit<SessionDeps, "show" | "finish" | "onCut"> {
  /** What it is called while nothing is wrong. */
  readonly name: string;
  /** The same for all terminals of its host. */
  readonly host: string;
  /** Tells its host from others of the same name: ID and server. */
  readonly place: string;
  /** What it sends, which goes on from there. */
  readonly onInput: (input: string) => void;
  readonly onCut: (reason: string | undefined) => void;
  /** The editor is about to show it. */
  readonly onOpened: () => void;
  /** Nobody looks at it any more; why is for whoever knows the editor's terminal. */
  readonly onClosed: () => void;
}

/** A shell of a host as a terminal of the editor. That the way to it is cut is said beside it, not in the program's screen. */
export class HostTerminal implements Pseudoterminal, Member {
  readonly session: Session;
  readonly name: string;
  readonly host: string;
  readonly place: string;
  readonly #deps: HostTerminalDeps;
  readonly #written = new EventEmitter<string>();
  readonly #closed = new EventEmitter<number | undefined>();
  readonly #renamed = new EventEmitter<string>();
  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;
  readonly onDidChangeName = this.#renamed.event;
  #isCut = false;
  #isMember = false;
  #isRecorded = false;

  constructor(deps: HostTerminalDeps) {
    this.#deps = deps;
    const { name, host, place } = deps;
    this.name = name;
    this.host = host;
    this.place = place;
    this.session = new Session({
      ...deps,
      show: (text) => this.#written.fire(text),
      onCut: (reason) => {
        this.#isCut = reason !== undefined;
        this.#rename();
        deps.onCut(reason);
      },
      onAttached: (attached) => {
        const isRecorded = attached.recorded === true;
        if (isRecorded !== this.#isRecorded) {
          this.#isRecorded = isRecorded;
          this.#rename();
        }
        deps.onAttached(attached);
      },
      finish: (code) => this.#closed.fire(code),
    });
  }

  /** The editor is ready to show it. */
  open(size: TerminalDimensions | undefined): void {
    this.#deps.onOpened();
    this.session.open(sizeOf(size));
  }

  /** The editor has another size for it. */
  setDimensions(size: TerminalDimensions): void {
    const known = sizeOf(size);
    if (known !== undefined) this.session.resize(known);
  }

  /** Keys, pastes and answers of the editor's terminal. */
  handleInput(text: string): void {
    this.#deps.onInput(text);
  }

  /** Says beside its name whether it is typed into from others. */
  mark(isMember: boolean): void {
    this.#isMember = isMember;
    this.#rename();
  }

  /** The window has nothing more of it. */
  dispose(): void {
    for (const emitter of [this.#written, this.#closed, this.#renamed]) emitter.dispose();
  }

  #rename(): void {
    const usual = this.#isRecorded ? t("{0} (recorded)", this.name) : this.name;
    const whole = this.#isMember ? t("All: {0}", usual) : usual;
    this.#renamed.fire(this.#isCut ? t("{0} (reconnecting...)", usual) : whole);
  }

  /** The terminal is gone from the window, or the window itself is going. */
  close(): void {
    this.#deps.onClosed();
  }
}

function sizeOf(size: TerminalDimensions | undefined) {
  return size === undefined ? undefined : { cols: size.columns, rows: size.rows };
}
