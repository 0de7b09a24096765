import type { MessageHandlers, Ssh2Engine } from "../ssh2/ssh2Engine.ts";
import type { WireErrorKind } from "../wireError.ts";
import { DISCONNECT } from "./disconnect.ts";
import type { TransportSide } from "./transportDeps.ts";

/** Decides about logins; a rejected promise ends the connection without an answer. */
export interface ServerLogin {
  /** Whether this secret opens this auth id. Called once per attempt, one attempt at a time. */
  check(user: string, password: string): Promise<boolean>;
}

/** What a login tells its transport. */
export interface LoginEvents {
  readonly engine: () => Ssh2Engine;
  onLogin(user: string): void;
  /** Ends the connection with an SSH DISCONNECT of this code. */
  onFailure(kind: WireErrorKind, text: string, code: number): void;
}

const AUTH_SERVICE = "ssh-userauth";
const CONNECTION_SERVICE = "ssh-connection";

/** The server's side of the login: password only, a few attempts, one at a time. */
export class LoginServer {
  readonly handlers: MessageHandlers;
  /** Until somebody is in. */
  #login: ServerLogin | undefined;
  readonly #events: LoginEvents;
  readonly #maxAttempts: number;
  #attempts = 0;
  #isServiceAccepted = false;
  #isChecking = false;
  #isOver = false;

  constructor(login: ServerLogin, maxAttempts: number, events: LoginEvents) {
    this.#login = login;
    this.#events = events;
    this.#maxAttempts = maxAttempts;
    this.handlers = {
      SERVICE_REQUEST: (_library, name) => this.#acceptService(name),
      USERAUTH_REQUEST: (_library, ...request) => this.#attempt(request),
    };
  }

  /** The connection has ended: an answer that comes later is dropped. */
  end(): void {
    this.#isOver = true;
  }

  #acceptService(name: string): void {
    if (name !== AUTH_SERVICE) {
      this.#events.onFailure("protocol", "unknown service", DISCONNECT.serviceNotAvailable);
      return;
    }
    this.#isServiceAccepted = true;
    this.#events.engine().acceptService(name);
  }

  #attempt([user, service, method, data]: [string, string, string, unknown]): void {
    if (this.#isOver) return;
    if (this.#isChecking || !this.#isServiceAccepted || service !== CONNECTION_SERVICE) {
      this.#fail("protocol", "a login request out of turn");
      return;
    }
    if (method === "none") {
      this.#events.engine().refuseLogin();
      return;
    }
    this.#attempts += 1;
    if (method === "password" && typeof data === "string")
      void this.#check(user, data).catch(() => this.#failed());
    else this.#refuse();
  }

  async #check(user: string, password: string): Promise<void> {
    this.#isChecking = true;
    const verdict = await this.#verdict(user, password);
    this.#isChecking = false;
    if (this.#isOver) return;
    if (verdict === "failed") {
      this.#failed();
      return;
    }
    if (verdict === "refused") {
      this.#refuse();
      return;
    }
    this.#isOver = true;
    this.#login = undefined;
    this.#events.engine().acceptLogin();
    this.#events.onLogin(user);
  }

  async #verdict(user: string, password: string): Promise<"accepted" | "refused" | "failed"> {
    try {
      return (await this.#login?.check(user, password)) ? "accepted" : "refused";
    } catch {
      return "failed";
    }
  }

  #failed(): void {
    const text = "the login could not be checked";
    this.#events.onFailure("local", text, DISCONNECT.byApplication);
  }

  #refuse(): void {
    this.#events.engine().refuseLogin();
    if (this.#attempts >= this.#maxAttempts) this.#fail("login", "too many failed logins");
  }

  #fail(kind: WireErrorKind, text: string): void {
    this.#isOver = true;
    this.#events.onFailure(kind, text, DISCONNECT.protocolError);
  }
}

/** The agent's side of the login: one password, sent only after the server's key was verified. */
export class LoginClient {
  readonly handlers: MessageHandlers;
  readonly #events: LoginEvents;

  constructor(credentials: { user: string; password: string }, events: LoginEvents) {
    const { user, password } = credentials;
    this.#events = events;
    this.handlers = {
      SERVICE_ACCEPT: () => events.engine().sendPassword(user, password),
      USERAUTH_SUCCESS: () => events.onLogin(user),
      USERAUTH_FAILURE: () => {
        const text = "the server refused the auth id or its secret";
        events.onFailure("login", text, DISCONNECT.byApplication);
      },
    };
  }

  /** Called after the first key exchange. */
  begin(): void {
    this.#events.engine().requestService(AUTH_SERVICE);
  }
}

/** The login of one side of a connection. */
export function loginOf(
  side: TransportSide,
  maxAttempts: number,
  events: LoginEvents,
): LoginServer | LoginClient {
  if (side.role === "client") return new LoginClient(side, events);
  return new LoginServer(side.login, maxAttempts, events);
}
