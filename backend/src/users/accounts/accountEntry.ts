import { accountId } from "../../platform/random.ts";
import { type Account, type AccountEdit, editAccount } from "../../store/edits/accountEdit.ts";
import {
  leftGroup,
  type SessionUse,
  type TokenUse,
  usedSession,
  usedToken,
} from "../../store/edits/personEdit.ts";
import type { SessionRecord } from "../../store/records/sessionRecord.ts";
import type { TokenRecord } from "../../store/records/tokenRecord.ts";
import type { UserRecord } from "../../store/records/userRecord.ts";

/** A user in memory, with tokens and sessions; changed only by an edit that is in force. */
export class AccountEntry {
  /** Tells the account from all others; another name changes nothing. */
  readonly id: string;
  #record: UserRecord;
  readonly #tokens = new Map<string, TokenRecord>();
  readonly #sessions = new Map<number, SessionRecord>();

  constructor({ record, tokens, sessions }: Account) {
    this.id = record.account_id ?? accountId();
    this.#record = record;
    this.#take({ record, tokens, sessions });
  }

  get record(): UserRecord {
    return this.#record;
  }

  /** Also those that were ended. */
  token(prefix: string): TokenRecord | undefined {
    return this.#tokens.get(prefix);
  }

  session(id: number): SessionRecord | undefined {
    return this.#sessions.get(id);
  }

  /** Also those that were ended, the oldest first. */
  tokens(): readonly TokenRecord[] {
    return [...this.#tokens.values()];
  }

  /** Also those whose time is over, the oldest first. */
  sessions(): readonly SessionRecord[] {
    return [...this.#sessions.values()];
  }

  /** Follows an edit that is in force. */
  apply(edit: AccountEdit): void {
    this.#take(editAccount(this.#account(), edit));
  }

  /** The token was used. */
  useToken(use: TokenUse): void {
    const record = this.#tokens.get(use.prefix);
    if (record !== undefined) this.#tokens.set(use.prefix, usedToken(record, use));
  }

  /** The session was used. */
  useSession(use: SessionUse): void {
    const record = this.#sessions.get(use.session);
    if (record !== undefined) this.#sessions.set(use.session, usedSession(record, use));
  }

  /** A group is gone. */
  leave(group: Parameters<typeof leftGroup>[1]): void {
    this.#record = leftGroup(this.#record, group);
  }

  #account(): Account {
    return { record: this.#record, tokens: this.tokens(), sessions: this.sessions() };
  }

  #take({ record, tokens, sessions }: Account): void {
    this.#record = record;
    this.#tokens.clear();
    this.#sessions.clear();
    for (const token of tokens) this.#tokens.set(token.prefix, token);
    for (const session of sessions) this.#sessions.set(session.session_id, session);
  }
}
