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
import { HeldEdits } from "./heldEdits.ts";

/**
 * A user in memory, with tokens and sessions; changed only by an edit that is in force. It is what the disk
 * has, less what was withdrawn and is not written yet: what was being written meanwhile cannot be refused here
 * when it is durable.
 */
export class AccountEntry {
  /** Tells the account from all others; another name changes nothing. */
  readonly id: string;
  #record: UserRecord;
  readonly #tokens = new Map<string, TokenRecord>();
  readonly #sessions = new Map<number, SessionRecord>();
  readonly #held = new HeldEdits();
  /** What is durable, while something is held; undefined: all that there is. */
  #durable: Account | undefined;

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

  /** What was made with something that had been withdrawn by then, and ends with it; see `HeldEdits`. */
  get heirs(): readonly AccountEdit[] {
    return this.#held.heirs;
  }

  /** Follows an edit that is in force: one that is held, or one that is durable. */
  apply(edit: AccountEdit): void {
    const before = this.#account();
    if (this.#durable === undefined) {
      this.#take(editAccount(before, edit));
      return;
    }
    if (!this.#held.has(edit)) {
      this.#durable = editAccount(this.#durable, edit);
      this.#held.follow(edit, before);
    }
    this.#take(this.#held.after(this.#durable));
  }

  /** These only take away, and are in force before they are durable; the next that is told are these. */
  hold(edits: readonly AccountEdit[]): void {
    this.#durable ??= this.#account();
    this.#held.hold(edits);
  }

  /** Whether any of these is held still: none is when somebody has given back what they took. */
  holds(edits: readonly AccountEdit[]): boolean {
    return edits.some((edit) => this.#held.has(edit));
  }

  /** These are durable, or never will be. */
  release(edits: readonly AccountEdit[]): void {
    this.#held.release(edits);
    if (this.#durable === undefined) return;
    this.#take(this.#held.after(this.#durable));
    if (this.#held.isEmpty) this.#durable = undefined;
  }

  /** The token was used. */
  useToken(use: TokenUse): void {
    const used = (token: TokenRecord) =>
      token.prefix === use.prefix ? usedToken(token, use) : token;
    const record = this.#tokens.get(use.prefix);
    if (record !== undefined) this.#tokens.set(use.prefix, used(record));
    this.#changeDurable((account) => ({ ...account, tokens: account.tokens.map(used) }));
  }

  /** The session was used. */
  useSession(use: SessionUse): void {
    const used = (session: SessionRecord) =>
      session.session_id === use.session ? usedSession(session, use) : session;
    const record = this.#sessions.get(use.session);
    if (record !== undefined) this.#sessions.set(use.session, used(record));
    this.#changeDurable((account) => ({ ...account, sessions: account.sessions.map(used) }));
  }

  /** A group is gone. */
  leave(group: Parameters<typeof leftGroup>[1]): void {
    this.#record = leftGroup(this.#record, group);
    this.#changeDurable((account) => ({ ...account, record: leftGroup(account.record, group) }));
  }

  #changeDurable(change: (account: Account) => Account): void {
    if (this.#durable !== undefined) this.#durable = change(this.#durable);
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
