import { type Account, type AccountEdit, editAccount } from "../../store/edits/accountEdit.ts";

/**
 * Withdrawals of one user that are in force and not durable yet. What was being written when they came
 * into force becomes durable before them, and is followed as everything is; where it was made with what they
 * took, it is an heir, and withdrawn as well.
 */
export class HeldEdits {
  #edits: readonly AccountEdit[] = [];
  #heirs: readonly AccountEdit[] = [];

  /** The ends of heirs, which nobody writes yet. */
  get heirs(): readonly AccountEdit[] {
    return this.#heirs;
  }

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  has(edit: AccountEdit): boolean {
    return this.#edits.includes(edit);
  }

  hold(edits: readonly AccountEdit[]): void {
    this.#edits = [...this.#edits, ...edits];
  }

  release(edits: readonly AccountEdit[]): void {
    const isLeft = (edit: AccountEdit) => !edits.includes(edit);
    this.#edits = this.#edits.filter(isLeft);
    this.#heirs = this.#heirs.filter(isLeft);
  }

  /** The account without what is held. */
  after(durable: Account): Account {
    return this.#edits.reduce(editAccount, durable);
  }

  /** An edit became durable; `before` is what was in force until then. */
  follow(edit: AccountEdit, before: Account): void {
    // Whoever lets a user in again does so after it was taken, and takes that back.
    if (isEnabling(edit)) this.#edits = this.#edits.filter((held) => !isDisabling(held));
    const end = endOfHeir(edit, before);
    if (end === undefined) return;
    this.#heirs = [...this.#heirs, end];
    this.#edits = [...this.#edits, end];
  }
}

/** What ends that which an edit made, where it was made with something that is gone. */
function endOfHeir(edit: AccountEdit, { tokens, sessions }: Account): AccountEdit | undefined {
  const { user } = edit;
  if (edit.kind === "addToken" && edit.by !== undefined) {
    const { prefix, created_at: at } = edit.record;
    const works = tokens.some((one) => one.prefix === edit.by && one.ended_at === null);
    return works ? undefined : { kind: "endToken", user, prefix, atMs: Date.parse(at) };
  }
  if (edit.kind === "addSession" && edit.owing !== undefined) {
    const isThere = sessions.some(({ session_id: id }) => id === edit.owing);
    return isThere ? undefined : { kind: "endSession", user, session: edit.record.session_id };
  }
  return undefined;
}

function isEnabling(edit: AccountEdit): boolean {
  return edit.kind === "changeUser" && edit.to.disabled === false;
}

function isDisabling(edit: AccountEdit): boolean {
  return edit.kind === "changeUser" && edit.to.disabled === true;
}
