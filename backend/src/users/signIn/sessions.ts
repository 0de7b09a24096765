import { randomInt } from "node:crypto";
import type { UserName } from "@rport/protocol/people/user";
import { type Clock, toTime } from "../../platform/clock.ts";
import type { Edit } from "../../store/edits/edit.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import { crowdedBy, signInEnded } from "../../store/edits/newSession.ts";
import type { SessionRecord } from "../../store/records/sessionRecord.ts";
import type { AccountLedger } from "../accounts/accountLedger.ts";
import type { ExpiryWatch } from "../accounts/expiryWatch.ts";
import { isOver } from "../accounts/liveActors.ts";
import type { Uses } from "../accounts/uses.ts";
import type { Checked } from "./checked.ts";
import type { SessionTokens } from "./sessionTokens.ts";

/** RPort's lifetime: at first unless told otherwise, and from each use on at least. */
const LIFETIME_MS = 600_000;
/** Ids are random, so that none is ever used again; 13 to 15 digits, which no prefix of a token has. */
const IDS = { from: 10 ** 12, end: 2 ** 47 } as const;

/** What sessions need. */
export interface SessionsDeps {
  readonly ledger: AccountLedger;
  readonly store: Pick<EditStore, "commit">;
  readonly tokens: SessionTokens;
  readonly uses: Uses;
  readonly expiry: Pick<ExpiryWatch, "watch">;
  readonly clock: Pick<Clock, "now">;
}

/** A session to be begun. */
export interface NewSession {
  readonly user: UserName;
  readonly scope: SessionRecord["scope"];
  readonly lifetimeS: number | undefined;
  readonly address: string;
  readonly userAgent: string;
  /** The password's that was checked; the session does not begin when it is another one by now. */
  readonly verifier?: string | undefined;
  /** The session that owed a code which was shown; this one takes its place, or does not begin. */
  readonly owing?: number | undefined;
}

/** A session that has begun. */
export interface BegunSession {
  readonly id: string;
  readonly token: string;
}

/** The sessions of users, from a password to their end. */
export class Sessions {
  readonly #deps: SessionsDeps;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
  }

  /** Begins a session, durably, after other edits. Fails with `CONFLICT` where it has ended by then. */
  async begin(session: NewSession, first: readonly Edit[] = []): Promise<BegunSession> {
    const { ledger, store, uses, tokens } = this.#deps;
    const { user, verifier, owing } = session;
    const record = this.#record(session);
    const others = ledger.get(user)?.sessions() ?? [];
    const crowded = crowdedBy(
      record,
      others.filter((one) => one.session_id !== owing),
    );
    const begins: Edit = { kind: "addSession", user, record, verifier, owing, crowded };
    await store.commit([...first, begins], uses.owed());
    const { session_id: id } = record;
    // What it was begun with, or its user, was shut out while it was being written.
    if (ledger.ownerOfSession(id) === undefined) throw signInEnded();
    return { id: String(id), token: await tokens.sign(user, id) };
  }

  /** Whom a session's token shows; `undefined` where this server did not sign it. */
  async check(token: string, address: string): Promise<Checked | undefined> {
    const { ledger, tokens, expiry, clock } = this.#deps;
    const claims = await tokens.read(token);
    if (claims === undefined) return undefined;
    const entry = ledger.ownerOfSession(claims.sessionID);
    const record = entry?.session(claims.sessionID);
    if (entry === undefined || record === undefined) return this.#ended(claims.username);
    if (isOver(record, clock.now())) return ended("This session has expired: sign in again.");
    this.#slide(record, address);
    expiry.watch(record.expires_at);
    return { kind: "actor", actor: ledger.actors.ofSession(entry, record) };
  }

  #ended(username: string): Checked {
    const isDisabled = this.#deps.ledger.get(username)?.record.disabled === true;
    return ended(isDisabled ? "The user is disabled." : "This session was ended: sign in again.");
  }

  /** A use makes a session last ten minutes from now at least, as in RPort. */
  #slide(record: SessionRecord, from: string): void {
    const atMs = this.#deps.clock.now();
    const slides = record.scope === "full";
    const endMs = Date.parse(record.expires_at);
    const endsAtMs = slides ? Math.max(endMs, atMs + LIFETIME_MS) : endMs;
    this.#deps.uses.session({ session: record.session_id, atMs, endsAtMs, from });
  }

  #record({ user, scope, lifetimeS, address, userAgent }: NewSession): SessionRecord {
    const nowMs = this.#deps.clock.now();
    const lifetimeMs = lifetimeS === undefined ? LIFETIME_MS : lifetimeS * 1_000;
    const lastsMs = scope === "full" ? lifetimeMs : Math.min(lifetimeMs, LIFETIME_MS);
    return {
      session_id: randomInt(IDS.from, IDS.end),
      username: user,
      scope,
      created_at: toTime(nowMs),
      last_access_at: toTime(nowMs),
      expires_at: toTime(nowMs + lastsMs),
      user_agent: userAgent,
      ip_address: address,
    };
  }
}

function ended(why: string): Checked {
  return { kind: "ended", why };
}
