import { timingSafeEqual } from "node:crypto";
import type { NewToken, NewTokenInput, TokenPrefix } from "@rport/protocol/people/token";
import type { UserName } from "@rport/protocol/people/user";
import type { Clock } from "../../platform/clock.ts";
import { noSuchToken, noSuchUser, type TokenChanges } from "../../store/edits/accountEdit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import { isLater, makerEnded } from "../../store/edits/tokenBounds.ts";
import type { TokenRecord } from "../../store/records/tokenRecord.ts";
import type { UserRecord } from "../../store/records/userRecord.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { Entrances } from "../accounts/entrances.ts";
import type { ExpiryWatch } from "../accounts/expiryWatch.ts";
import { isOver } from "../accounts/liveActors.ts";
import type { Uses } from "../accounts/uses.ts";
import type { Actor } from "../actor.ts";
import type { Checked } from "./checked.ts";
import type { Freshness } from "./freshness.ts";
import { digestOf, inAYear, makeToken, requireFuture } from "./newToken.ts";
import type { ShownSecret } from "./shownSecret.ts";

/** The form of a personal token; no other secret of ours has an underscore there. */
const FORM = /^([0-9A-Za-z]{8})_([\w-]{1,100})$/;
const SIGN_IN = "Sign in anew: a token for longer takes that.";

/** What personal tokens need. */
export interface PersonalTokensDeps {
  readonly ledger: AccountLedger;
  readonly store: Pick<EditStore, "commit">;
  readonly entrances: Pick<Entrances, "endToken">;
  readonly uses: Uses;
  readonly expiry: Pick<ExpiryWatch, "watch">;
  readonly freshness: Freshness;
  readonly clock: Pick<Clock, "now">;
}

/** The personal tokens of users: `<prefix>_<secret>`, of which a hash is kept. */
export class PersonalTokens {
  readonly #deps: PersonalTokensDeps;

  constructor(deps: PersonalTokensDeps) {
    this.#deps = deps;
  }

  /** Whether a text has the form of such a token. */
  static isLike(text: string): boolean {
    return FORM.test(text);
  }

  /** Whom a token shows; `undefined` where it is nobody's, or not that of the name beside it. */
  check({ secret, name }: ShownSecret, address: string): Checked | undefined {
    const { ledger, uses, expiry, clock } = this.#deps;
    const prefix = FORM.exec(secret)?.[1] ?? "";
    const entry = ledger.ownerOfToken(prefix);
    const record = entry?.token(prefix);
    const isRight = isDigest(secret, record?.sha256);
    if (entry === undefined || record === undefined || !isRight) return undefined;
    const { username, disabled } = entry.record;
    if (name !== undefined && name !== username) return undefined;
    const why = disabled ? "The user is disabled." : whyNot(record, clock.now());
    if (why !== undefined) return { kind: "ended", why };
    uses.token(record.prefix, address);
    expiry.watch(record.expires_at);
    return { kind: "actor", actor: ledger.actors.ofToken(entry, record) };
  }

  /** Makes a token; the answer is the only time its value is seen. Fails as `editAccount` does. */
  async create(user: UserName, facts: NewTokenInput): Promise<NewToken> {
    const { store, clock } = this.#deps;
    const { record, made } = makeToken(user, facts, clock.now());
    await store.commit([{ kind: "addToken", user, record }]);
    this.#requireMade(record);
    return made;
  }

  /**
   * The same for the actor's own user. With a personal token, one for no more and no longer than that
   * is; with a session, one that is fresh. Fails with `FORBIDDEN` for more, further as `create`.
   */
  async createBy(actor: Actor, facts: NewTokenInput): Promise<NewToken> {
    const { store, clock, freshness } = this.#deps;
    const by = this.#shownBy(actor);
    if (by === undefined) freshness.require(actor, SIGN_IN);
    const { username: user } = this.#userOf(actor);
    const nowMs = clock.now();
    const longest = by?.expires_at ?? null;
    const usual = isLater(inAYear(nowMs), longest) ? longest : inAYear(nowMs);
    const { expires_at: end = usual } = facts;
    const { record, made } = makeToken(user, { ...facts, expires_at: end }, nowMs);
    await store.commit([{ kind: "addToken", user, record, by: by?.prefix }]);
    this.#requireMade(record);
    return made;
  }

  /**
   * Renames a token of the actor's, or moves its end; what makes it work longer takes what
   * `createBy` does. Fails with `NOT_FOUND` for somebody else's.
   */
  async changeBy(actor: Actor, prefix: TokenPrefix, to: TokenChanges): Promise<TokenRecord> {
    const { ledger, store, expiry, clock, freshness } = this.#deps;
    const { username: user } = this.#userOf(actor);
    const { expires_at: end } = this.#need(user, prefix);
    const by = this.#shownBy(actor);
    if (to.expires_at !== undefined) {
      requireFuture(to.expires_at, clock.now());
      if (by === undefined && isLater(to.expires_at, end)) freshness.require(actor, SIGN_IN);
    }
    await store.commit([{ kind: "changeToken", user, prefix, to, by: by?.prefix }]);
    expiry.watch(to.expires_at ?? null);
    return this.#need(ledger.ownerOfToken(prefix)?.record.username ?? user, prefix);
  }

  /** From now on it opens nothing; fails with `NOT_FOUND` for somebody else's, and with `NOT_DURABLE`. */
  async end(user: UserName, prefix: TokenPrefix): Promise<void> {
    this.#need(user, prefix);
    await this.#deps.entrances.endToken(user, prefix);
  }

  /** Its value is told to nobody where what it was made with, or its user, was shut out meanwhile. */
  #requireMade({ prefix }: TokenRecord): void {
    const { ledger } = this.#deps;
    if (ledger.ownerOfToken(prefix)?.token(prefix)?.ended_at === null) return;
    throw makerEnded();
  }

  /** The personal token that the actor has shown; undefined: it was a session. */
  #shownBy({ name, tokenId }: Actor): TokenRecord | undefined {
    return this.#deps.ledger.get(name)?.token(tokenId);
  }

  #userOf({ name }: Actor): UserRecord {
    const record = this.#deps.ledger.get(name)?.record;
    if (record === undefined) throw noSuchUser();
    return record;
  }

  #need(user: UserName, prefix: TokenPrefix): TokenRecord {
    const record = this.#deps.ledger.get(user)?.token(prefix);
    if (record === undefined || record.ended_at !== null) throw noSuchToken();
    return record;
  }
}

function whyNot(record: TokenRecord, nowMs: number): string | undefined {
  if (record.ended_at !== null) return "This token was ended.";
  return isOver(record, nowMs) ? "This token has expired." : undefined;
}

/** Hashes also where nothing is known of the prefix, which anybody may read anyway. */
function isDigest(secret: string, sha256: string | undefined): boolean {
  const digest = digestOf(secret);
  const kept = sha256 === undefined ? digestOf("") : Buffer.from(sha256, "base64url");
  return timingSafeEqual(digest, kept) && sha256 !== undefined;
}
