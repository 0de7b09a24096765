import { t } from "@vscode/l10n";
import type { Clock, Timer } from "../support/clock.ts";
import type { Session } from "./session.ts";
import { type Typed, typedOf } from "./typed.ts";

/** With nothing typed for so long, nobody has it in mind any more. */
const IDLE_MS = 60_000;
/** No paste that is meant for several hosts has more characters. */
const PASTE_MAX = 64 << 10;

/** A terminal that may be typed into from another one. */
export interface Member {
  readonly name: string;
  /** The same for all terminals of a host. */
  readonly host: string;
  /** Tells its host from others of the same name. */
  readonly place: string;
  readonly session: Pick<Session, "isAttached" | "paste" | "type">;
  /** Shows beside its name whether it is typed into from the others. */
  mark(isMember: boolean): void;
}

/** A paste with the end of a line in it, which somebody is asked about. */
export interface ManyLines {
  readonly lines: number;
  readonly members: readonly Member[];
}

/** What the mode needs of the window. */
export interface TypeIntoAllDeps {
  readonly clock: Clock;
  /** Whether a paste goes to all, to the one terminal alone (`here`), or nowhere. */
  readonly askPaste: (asked: ManyLines) => Promise<"all" | "here" | undefined>;
  /** Something that a person has to be told. */
  readonly onTold: (sentence: string) => void;
  /** The mode began, or ended: then there are none. */
  readonly onChanged: (members: readonly Member[]) => void;
}

/** Why a member cannot be typed into any more. */
export type MemberLoss = "cut" | "ended";

/**
 * What is typed into one of several terminals goes to all of them, for one use: it is over when a line was sent, or
 * when what is typed would not reach all of them alike. What terminals send by themselves stays theirs.
 */
export class TypeIntoAll {
  readonly #deps: TypeIntoAllDeps;
  #members: ReadonlySet<Member> = new Set();
  #idle: Timer | undefined;
  /** Whether something was typed that no line's end has followed. */
  #isLineOpen = false;

  constructor(deps: TypeIntoAllDeps) {
    this.#deps = deps;
  }

  /** Those that are typed into; none: it is off. */
  get members(): readonly Member[] {
    return [...this.#members];
  }

  /** Begins anew, with these. */
  begin(members: readonly Member[]): void {
    this.end();
    this.#members = new Set(members);
    for (const member of members) member.mark(true);
    this.#wait();
    this.#deps.onChanged(members);
  }

  /** A person wants no more of it. */
  stop(): void {
    if (this.#isLineOpen) this.#endWith(t("Typing into all has ended."));
    else this.end();
  }

  /** Each terminal is for itself again. */
  end(): void {
    if (this.#members.size === 0) return;
    const members = this.#members;
    this.#members = new Set();
    this.#idle?.cancel();
    this.#isLineOpen = false;
    for (const member of members) member.mark(false);
    this.#deps.onChanged([]);
  }

  /** What a terminal sent goes to its host, and to those of the others if it is one of them. */
  type(from: Member, input: string): void {
    const typed = this.#members.has(from) ? typedOf(input) : undefined;
    if (typed === undefined || typed.kind === "own") from.session.type(input);
    else if (typed.text.length > PASTE_MAX) {
      this.#deps.onTold(t("This is too much to be pasted into several terminals: it was not."));
    } else if (typed.lines > 1 || (typed.kind === "paste" && typed.endsLine))
      void this.#ask(from, input, typed);
    else this.#send(from, input, typed);
  }

  /** A member does not get what is typed any more. */
  lose(member: Member, loss: MemberLoss): void {
    if (!this.#members.has(member)) return;
    this.end();
    this.#deps.onTold(
      loss === "cut"
        ? t(
            "Typing into all has ended: {0} is reconnecting. It gets what was typed so far when it is back, and not the rest of the line.",
            member.name,
          )
        : t(
            "Typing into all has ended: this window does not have the terminal of {0} any more. It may not have got all of the line.",
            member.name,
          ),
    );
  }

  /** The keys go to this terminal from now on; undefined: to none of a host. */
  focus(terminal: Member | undefined): void {
    if (this.#members.size === 0) return;
    if (terminal !== undefined && this.#members.has(terminal)) return;
    this.#endWith(t("Typing into all has ended: you went to another terminal."));
  }

  async #ask(from: Member, input: string, typed: Exclude<Typed, { kind: "own" }>): Promise<void> {
    const members = this.#members;
    this.#idle?.cancel();
    const answer = await this.#deps.askPaste({ lines: typed.lines, members: [...members] });
    if (answer === "here") from.session.type(input);
    if (members !== this.#members) {
      if (answer === "all") this.#deps.onTold(t("Typing into all has ended: nothing was pasted."));
    } else if (answer === "all") this.#send(from, input, typed);
    else this.#wait();
  }

  #send(from: Member, input: string, typed: Exclude<Typed, { kind: "own" }>): void {
    from.session.type(input);
    // a key that is let go, or sends nothing by itself
    if (typed.text === "") return;
    for (const { session } of this.members.filter((member) => member !== from)) {
      if (typed.kind === "paste") session.paste(typed.text);
      else session.type(typed.text);
    }
    this.#isLineOpen = true;
    if (typed.kind === "keys" && typed.endsLine) this.end();
    else this.#wait();
  }

  #wait(): void {
    this.#idle?.cancel();
    this.#idle = this.#deps.clock.after(IDLE_MS, () =>
      this.#endWith(t("Typing into all has ended: nothing was typed for a minute.")),
    );
  }

  #endWith(sentence: string): void {
    const open = this.#isLineOpen ? t("The line that was begun is in all of them.") : "";
    this.end();
    this.#deps.onTold([sentence, open].filter(Boolean).join(" "));
  }
}
