import type { WireClock, WireTimer } from "../clock.ts";
import { deferred } from "../deferred.ts";
import type { Login } from "./transportDeps.ts";

/** The time in which the peer has to log in, and what comes of it. */
export class Handshake {
  readonly #login = deferred<Login>();
  readonly #timer: WireTimer;

  /** @param onLate called after `withinMs` milliseconds, unless it has ended */
  constructor(clock: WireClock, withinMs: number, onLate: () => void) {
    // whoever does not wait for the login hears of its failure by the end of the connection
    this.login.catch(() => {});
    this.#timer = clock.after(withinMs, onLate);
  }

  /** Resolves at the login, rejects when there will be none. */
  get login(): Promise<Login> {
    return this.#login.promise;
  }

  /** The peer has logged in. */
  succeed(login: Login): void {
    this.#timer.cancel();
    this.#login.resolve(login);
  }

  /** The connection ended; does nothing after a login. */
  fail(error: Error): void {
    this.#timer.cancel();
    this.#login.reject(error);
  }
}
