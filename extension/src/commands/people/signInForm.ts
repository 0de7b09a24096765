import { type Door, logOut, tokenFor } from "../../servers/signIn.ts";
import type { KeptToken } from "../../servers/tokens.ts";
import type { Look, TextQuestion } from "./ask.ts";
import type { After, Place } from "./steps.ts";

/** The ways to sign in. */
export type Way = "password" | "invitation" | "token";

/** What is typed and not secret. */
interface Typed {
  username: string;
  code: string;
  newName: string;
}

/** What the steps of signing in are made with. */
export interface SignInFormDeps {
  readonly title: string;
  readonly door: Door;
  /** What a new token is called. */
  readonly computer: string;
  /** Whether there are users who could show a password. */
  readonly hasUsers: boolean;
  /** Steps that come in front of these, and behind them. */
  readonly before: number;
  readonly after: number;
  /** Makes a secret for an authenticator app with this session, and shows it. */
  readonly setUpSecondFactor: (jwt: string) => Promise<void>;
  /** What comes when somebody has signed in. */
  readonly next: () => Promise<After>;
}

const MORE_STEPS: Readonly<Record<Way, number>> = { password: 3, invitation: 5, token: 2 };

/** What was typed in the steps of signing in so far, and what came of it. */
export class SignInForm {
  readonly deps: SignInFormDeps;
  readonly #typed: Typed = { username: "", code: "", newName: "" };
  #total: number;
  #mistake: string | undefined;
  /** A session that opens everything, until a token has been made with it. */
  #jwt: string | undefined;
  #kept: KeptToken | undefined;

  constructor(deps: SignInFormDeps) {
    this.deps = deps;
    this.#total = this.#steps("password");
  }

  /** How many steps there are, as far as one knows now. */
  get total(): number {
    return this.#total;
  }

  /** Whether there is a token already that was made for this editor. */
  get isCertain(): boolean {
    return this.#kept?.made === true;
  }

  /** Says how many steps there are: those of a way, and `more`. */
  follow(way: Way, more = 0): void {
    this.#total = this.#steps(way) + more;
  }

  /** What was typed, without spaces around it. */
  typed(name: keyof Typed): string {
    return this.#typed[name].trim();
  }

  /** How a step looks. */
  look(place: Place): Look {
    return { title: this.deps.title, place, total: this.#total };
  }

  /** A field that keeps what is typed. */
  field(name: keyof Typed): Pick<TextQuestion<unknown>, "value" | "typed"> {
    return {
      value: this.#typed[name],
      typed: (text) => {
        this.#typed[name] = text;
      },
    };
  }

  /** Keeps what is wrong with what was typed at the step that comes next. */
  leaveMistake(text: string): void {
    this.#mistake = text;
  }

  /** What is wrong with what was typed at this step before; told once. */
  takeMistake(): string | undefined {
    const mistake = this.#mistake;
    this.#mistake = undefined;
    return mistake;
  }

  /** Somebody has signed in with a session. */
  async enter(jwt: string): Promise<After> {
    this.#jwt = jwt;
    return await this.deps.next();
  }

  /** There is a token. */
  keep(kept: KeptToken): void {
    this.#kept = kept;
  }

  /** The token, which is made now if there is none yet. */
  async token(): Promise<KeptToken> {
    if (this.#kept !== undefined) return this.#kept;
    if (this.#jwt === undefined) throw new Error("nobody has signed in");
    this.#kept = await tokenFor(this.deps.door, this.#jwt, this.deps.computer);
    this.#jwt = undefined;
    return this.#kept;
  }

  /** Ends a session that has begun and is not needed. */
  async abandon(): Promise<void> {
    const jwt = this.#jwt;
    this.#jwt = undefined;
    if (jwt !== undefined) await logOut(this.deps.door, jwt);
  }

  #steps(way: Way): number {
    return this.deps.before + MORE_STEPS[way] + this.deps.after;
  }
}
