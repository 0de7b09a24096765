import { RportError } from "@rport/protocol/errors";
import { type UserName, whyNotUserName } from "@rport/protocol/people/user";
import {
  accept,
  type Door,
  logIn,
  logOut,
  showCode,
  tokenFor,
  tryToken,
} from "../../servers/signIn.ts";
import type { KeptToken } from "../../servers/tokens.ts";
import { type Answer, askChoice, askText, type Look, type TextQuestion } from "./ask.ts";
import type { After, Place, Step } from "./steps.ts";

/** The ways to sign in. */
type Way = "password" | "invitation" | "token";

/** What has been typed so far; secrets among it live as long as the dialog. */
interface Typed {
  username: string;
  code: string;
  newName: string;
}

/** What the steps of signing in are made with. */
export interface SignInStepsDeps {
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

/**
 * How somebody signs in: with a password and maybe a code, with an invitation, or with a token.
 * What comes of it is taken by `token`, once.
 */
export class SignInSteps {
  readonly #deps: SignInStepsDeps;
  readonly #typed: Typed = { username: "", code: "", newName: "" };
  #total: number;
  #codeMistake: string | undefined;
  /** A session that opens everything, until a token has been made with it. */
  #jwt: string | undefined;
  #kept: KeptToken | undefined;

  constructor(deps: SignInStepsDeps) {
    this.#deps = deps;
    this.#total = this.#steps("password");
  }

  /** Whether nothing but the name of the server is missing, so that it is kept in any case. */
  get isCertain(): boolean {
    return this.#kept?.made === true;
  }

  /** How many steps there are, as far as one knows now. */
  get total(): number {
    return this.#total;
  }

  /** The token, which is made now if there is none yet. */
  async token(): Promise<KeptToken> {
    if (this.#kept === undefined) {
      if (this.#jwt === undefined) throw new Error("nobody has signed in");
      this.#kept = await tokenFor(this.#deps.door, this.#jwt, this.#deps.computer);
      this.#jwt = undefined;
    }
    return this.#kept;
  }

  /** Ends what has begun and is not needed. */
  async abandon(): Promise<void> {
    const jwt = this.#jwt;
    this.#jwt = undefined;
    if (jwt !== undefined) await logOut(this.#deps.door, jwt);
  }

  /** The first of the steps. */
  readonly first: Step = async (place) => {
    const invitation = {
      label: "$(mail) Invitation code",
      detail: this.#deps.hasUsers
        ? "An administrator gave you a code: become a user with it."
        : "The server has no users yet: it printed a code for the first administrator.",
      target: "invitation",
    } as const;
    const password = {
      label: "$(account) User and password",
      detail: "With the code of your authenticator app, if you have set one up.",
      target: "password",
    } as const;
    const token = {
      label: "$(key) Token",
      detail: "Paste a token that you already have.",
      target: "token",
    } as const;
    const answer = await askChoice<Way>({
      ...this.#look(place),
      placeholder: `How do you sign in to ${new URL(this.#deps.door.url).host}?`,
      choices: this.#deps.hasUsers ? [password, invitation, token] : [invitation, token, password],
    });
    return this.#follow(answer, (way) => {
      this.#total = this.#steps(way);
      return { password: this.#user, invitation: this.#code, token: this.#token }[way];
    });
  };

  readonly #user: Step = async (place) => {
    const answer = await askText({
      ...this.#look(place),
      ...this.#field("username"),
      prompt: "Your user name",
      check: async (text) => (text.trim() === "" ? MISSING : { value: undefined }),
    });
    return this.#follow(answer, () => this.#password);
  };

  readonly #password: Step = async (place) => {
    await this.abandon();
    const username = this.#typed.username.trim();
    const answer = await askText({
      ...this.#look(place),
      ...SECRET,
      prompt: `Password of ${username}`,
      check: async (password) => {
        if (password === "") return MISSING;
        return { value: await logIn(this.#deps.door, { username, password }) };
      },
    });
    if (answer.kind !== "value") return answer;
    const { jwt, secondFactor } = answer.value;
    if (secondFactor === "none") {
      this.#jwt = jwt;
      return await this.#deps.next();
    }
    if (secondFactor === "pending") await this.#deps.setUpSecondFactor(jwt);
    this.#total = this.#steps("password") + 1;
    return { kind: "next", step: this.#secondFactor(jwt) };
  };

  #secondFactor(jwt: string): Step {
    const username = this.#typed.username.trim();
    return async (place) => {
      const answer = await askText({
        ...this.#look(place),
        ...PLAIN,
        prompt: "Code of your authenticator app, or a recovery code",
        check: async (text) => {
          const code = text.replaceAll(/\s/g, "");
          if (code === "") return MISSING;
          return { value: await showCode(this.#deps.door, { jwt, username, code }) };
        },
      });
      if (answer.kind !== "value") return answer;
      this.#jwt = answer.value;
      return await this.#deps.next();
    };
  }

  readonly #code: Step = async (place) => {
    const why = this.#codeMistake;
    this.#codeMistake = undefined;
    const answer = await askText({
      ...this.#look(place),
      ...this.#field("code"),
      why,
      prompt: "The code that you were given. It works once, and for minutes.",
      check: async (text) => (text.trim() === "" ? MISSING : { value: undefined }),
    });
    return this.#follow(answer, () => this.#newName);
  };

  readonly #newName: Step = async (place) => {
    const answer = await askText({
      ...this.#look(place),
      ...this.#field("newName"),
      prompt: "Choose a user name",
      check: async (text) => {
        const why = whyNotUserName(text.trim());
        return why === undefined ? { value: undefined } : { why };
      },
    });
    return this.#follow(answer, () => this.#newPassword);
  };

  readonly #newPassword: Step = async (place) => {
    const answer = await askText({
      ...this.#look(place),
      ...SECRET,
      prompt: "Choose a password, of 12 characters at least",
      check: async (text) => (text === "" ? MISSING : { value: text }),
    });
    if (answer.kind !== "value") return answer;
    return { kind: "next", step: this.#again(answer.value) };
  };

  #again(password: string): Step {
    return async (place) => {
      const answer = await askText({
        ...this.#look(place),
        ...SECRET,
        prompt: "The same password again",
        check: async (text) => {
          if (text !== password) return { why: "This is not the same as before." };
          return { value: await this.#accept(password) };
        },
      });
      if (answer.kind !== "value") return answer;
      if (answer.value === "wrongCode") return { kind: "return", step: this.#code };
      return await this.#deps.next();
    };
  }

  async #accept(password: string): Promise<"accepted" | "wrongCode"> {
    const { code, newName } = this.#typed;
    const { door, computer } = this.#deps;
    const username = newName.trim() as UserName;
    try {
      this.#kept = await accept(door, { code: code.trim(), username, password, computer });
      return "accepted";
    } catch (caught) {
      const error = RportError.from(caught);
      if (error.code !== "INVITATION_NOT_FOUND") throw caught;
      this.#codeMistake = error.message;
      return "wrongCode";
    }
  }

  readonly #token: Step = async (place) => {
    const answer = await askText({
      ...this.#look(place),
      ...SECRET,
      prompt: "The token. It is kept in the editor's secret store.",
      check: async (text) => {
        const token = text.trim();
        if (token === "") return MISSING;
        if (/\s/.test(token)) return { why: "A token has no spaces." };
        return { value: await tryToken(this.#deps.door, token) };
      },
    });
    if (answer.kind !== "value") return answer;
    this.#kept = answer.value;
    return await this.#deps.next();
  };

  #steps(way: Way): number {
    return this.#deps.before + MORE_STEPS[way] + this.#deps.after;
  }

  #look(place: Place): Look {
    return { title: this.#deps.title, place, total: this.#total };
  }

  #field(name: keyof Typed): Pick<TextQuestion<unknown>, "value" | "typed"> {
    return {
      value: this.#typed[name],
      typed: (text) => {
        this.#typed[name] = text;
      },
    };
  }

  #follow<T>(answer: Answer<T>, stepOf: (value: T) => Step): After {
    return answer.kind === "value" ? { kind: "next", step: stepOf(answer.value) } : answer;
  }
}

const MISSING = { why: "Something has to be typed here." } as const;
const PLAIN = { value: "", typed: () => undefined } as const;
/** Secrets are typed again after a step back. */
const SECRET = { ...PLAIN, isSecret: true } as const;
