import type { Session, Token } from "@rport/protocol/people/token";
import type { User } from "@rport/protocol/people/user";
import type { Clock } from "../../platform/clock.ts";
import type { SessionRecord } from "../../store/records/sessionRecord.ts";
import type { TokenRecord } from "../../store/records/tokenRecord.ts";
import type { AccountEntry } from "./accountEntry.ts";
import type { AccountLedger } from "./accountLedger.ts";
import { isOver } from "./liveActors.ts";
import type { SocketCounts } from "./socketCounts.ts";

/** What views are made from. */
export interface UserViewsDeps {
  readonly ledger: AccountLedger;
  readonly sockets: SocketCounts;
  readonly clock: Pick<Clock, "now">;
}

/** Users as administrators see them. */
export class UserViews {
  readonly #deps: UserViewsDeps;

  constructor(deps: UserViewsDeps) {
    this.#deps = deps;
  }

  get(name: string): User | undefined {
    const entry = this.#deps.ledger.get(name);
    return entry === undefined ? undefined : this.#view(entry);
  }

  /** The names of all users. */
  ids(): readonly string[] {
    return this.#deps.ledger.all().map(({ record }) => record.username);
  }

  /** By name, each when it is asked for: over many turns, while some come and go. */
  *all(): Generator<User> {
    for (const entry of this.#deps.ledger.all()) yield this.#view(entry);
  }

  /** Tokens that were not ended; `current` is the one that was shown. */
  tokensOf(name: string, current?: string): Token[] {
    const tokens = this.#deps.ledger.get(name)?.tokens() ?? [];
    return tokens.filter(isKept).map((record) => tokenView(record, current));
  }

  /** Sessions that work now, save those that owe the second factor. */
  sessionsOf(name: string): Session[] {
    const entry = this.#deps.ledger.get(name);
    return entry === undefined ? [] : this.#working(entry).map(sessionView);
  }

  #view(entry: AccountEntry): User {
    const { record } = entry;
    const nowMs = this.#deps.clock.now();
    const working = entry.tokens().filter((token) => isKept(token) && !isOver(token, nowMs));
    return {
      username: record.username,
      password_expired: record.password_expired,
      groups: [...record.groups],
      two_fa_send_to: record.two_fa_send_to,
      display_name: record.display_name,
      disabled: record.disabled,
      totp: record.totp?.confirmed === true,
      recovery_codes: record.totp?.recovery_hashes.length ?? 0,
      created_at: record.created_at,
      created_by: record.created_by,
      last_sign_in_at: record.last_sign_in_at,
      tokens: working.length,
      sessions: this.#working(entry).length,
      sockets: this.#deps.sockets.of(record.username).sockets,
    };
  }

  #working(entry: AccountEntry): readonly SessionRecord[] {
    const nowMs = this.#deps.clock.now();
    return entry
      .sessions()
      .filter((session) => session.scope === "full" && !isOver(session, nowMs));
  }
}

/** A token as its user sees it. */
export function tokenView(record: TokenRecord, current?: string): Token {
  return {
    prefix: record.prefix,
    name: record.name,
    scope: record.scope,
    created_at: record.created_at,
    expires_at: record.expires_at,
    last_used_at: record.last_used_at,
    last_used_from: record.last_used_from,
    current: record.prefix === current,
  };
}

function sessionView(record: SessionRecord): Session {
  return {
    session_id: record.session_id,
    username: record.username,
    expires_at: record.expires_at,
    last_access_at: record.last_access_at,
    user_agent: record.user_agent,
    ip_address: record.ip_address,
  };
}

function isKept({ ended_at: endedAt }: TokenRecord): boolean {
  return endedAt === null;
}
