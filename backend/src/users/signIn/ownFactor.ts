import { RportError } from "@rport/protocol/errors";
import type { Sharer } from "../../limits/sharer.ts";
import { type Allowance, Budget } from "../../platform/budget.ts";
import type { Clock } from "../../platform/clock.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { Actor } from "../actor.ts";
import type { Freshness } from "./freshness.ts";
import type { TriesFrom } from "./guessing.ts";
import type { OwnAccount } from "./ownAccount.ts";
import { provePassword } from "./passwordProof.ts";
import type { NewFactor, SecondFactor } from "./secondFactor.ts";
import { editOf, type SignIn } from "./signIn.ts";

/**
 * New second factors of one user: a person tries a few, and the picture of each takes milliseconds of
 * the processor.
 */
const NEW_ONES: Allowance = { burst: 10, perSecond: 1 / 30 };
const USERS_REMEMBERED = 10_000;

/** What one's own second factor needs. */
export interface OwnFactorDeps {
  readonly own: Pick<OwnAccount, "need" | "sessionOf">;
  readonly store: Pick<EditStore, "commit">;
  readonly secondFactor: SecondFactor;
  readonly signIn: SignIn;
  readonly freshness: Freshness;
  readonly clock: Pick<Clock, "monotonic">;
}

/**
 * The second factor of whoever asks. Setting one up keeps its user out who does not have it, and
 * giving it up lets the password in alone: a session or a token that was stolen is enough for neither.
 */
export class OwnFactor {
  readonly #deps: OwnFactorDeps;
  readonly #newOnes: Budget<string>;

  constructor(deps: OwnFactorDeps) {
    this.#deps = deps;
    this.#newOnes = new Budget({ clock: deps.clock, keysMax: USERS_REMEMBERED });
  }

  /**
   * A new second factor, which counts from its first code on. Fails with `CONFLICT` where one does,
   * with `FORBIDDEN` without the password where the session is not fresh, and with
   * `TOO_MANY_REQUESTS` where the user has just been given many.
   */
  async create(
    actor: Actor,
    password: string | undefined,
    from: TriesFrom,
  ): Promise<NewFactor["shown"]> {
    const { own, store, secondFactor } = this.#deps;
    const { username: user, totp } = own.need(actor);
    if (totp?.confirmed === true) {
      throw new RportError("CONFLICT", "There is a second factor already: delete that one first.");
    }
    await this.#requirePassword(actor, password, from);
    this.#payForNew(actor);
    const { record, shown } = secondFactor.create(user);
    await store.commit([{ kind: "setTotp", user, totp: record }]);
    return shown;
  }

  /**
   * The factor counts from now on, and sessions that began without it end, save the one that asks.
   * Fails with `CONFLICT` where it counts already, or there is none.
   */
  async confirm(actor: Actor, code: string, from: TriesFrom): Promise<void> {
    const { own, store, signIn } = this.#deps;
    const { username: user, totp } = own.need(actor);
    if (totp === null || totp.confirmed) {
      throw new RportError("CONFLICT", "There is no second factor that waits for a code.");
    }
    const taken = signIn.checkCode(actor, { code, purpose: "code" }, from);
    if (taken === undefined) throw new RportError("BAD_REQUEST", "The code is wrong.");
    await store.commit([editOf(user, taken, own.sessionOf(actor))]);
  }

  /**
   * Signing in takes the password alone from then on. Fails with `NOT_FOUND` where there is none,
   * and with `FORBIDDEN` without a code of it where the session is not fresh.
   */
  async remove(actor: Actor, code: string | undefined, from: TriesFrom): Promise<void> {
    const { own, store, freshness } = this.#deps;
    const { username: user, totp } = own.need(actor);
    if (totp === null) throw new RportError("NOT_FOUND", "There is no second factor.");
    const isProven = !totp.confirmed || (!code && freshness.isFresh(actor));
    const proof = isProven ? [] : [this.#codeTaken(actor, code, from)];
    await store.commit([...proof, { kind: "removeTotp", user }]);
  }

  #payForNew({ accountId }: Sharer): void {
    const retryAfterS = Math.ceil(this.#newOnes.waitMs(accountId, 1, NEW_ONES) / 1_000);
    if (retryAfterS > 0) {
      const title = `You were given too many second factors: try again in ${retryAfterS} s.`;
      throw new RportError("TOO_MANY_REQUESTS", title, { retryAfterS });
    }
    this.#newOnes.charge(accountId, 1, NEW_ONES);
  }

  async #requirePassword(
    actor: Actor,
    password: string | undefined,
    from: TriesFrom,
  ): Promise<void> {
    const { freshness, signIn } = this.#deps;
    if (!password) {
      freshness.require(actor, 'Show the password with it ({"password": "..."}), or sign in anew.');
      return;
    }
    await provePassword(signIn, actor, { password, from, wrong: "The password is wrong." });
  }

  #codeTaken(actor: Actor, code: string | undefined, from: TriesFrom) {
    const { freshness, signIn, own } = this.#deps;
    if (!code) {
      freshness.require(actor, 'Show a code with it ({"token": "123456"}), or sign in anew.');
    }
    const taken = signIn.checkCode(actor, { code: code ?? "", purpose: "removal" }, from);
    if (taken !== undefined) return editOf(own.need(actor).username, taken);
    throw new RportError("FORBIDDEN", "The code is wrong, or was used before.");
  }
}
