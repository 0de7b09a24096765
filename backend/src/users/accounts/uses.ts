import type { TokenPrefix } from "@rport/protocol/people/token";
import type { Clock, Timer } from "../../platform/clock.ts";
import { errorText, type Log } from "../../platform/log.ts";
import type { EditStore } from "../../store/edits/editStore.ts";
import type { PersonEdit, SessionUse, TokenUse } from "../../store/edits/personEdit.ts";

/** What was used is on disk so much later at the most: a write for each request is too many. */
const FLUSH_MS = 60_000;
/** Uses from one address within this time are one. */
const SAME_USE_MS = 1_000;

/** What the uses need. */
export interface UsesDeps {
  readonly store: Pick<EditStore, "announce" | "settle">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells at once when tokens and sessions were used, and writes it down many at a time. */
export class Uses {
  readonly #deps: UsesDeps;
  #tokens = new Map<string, TokenUse>();
  #sessions = new Map<number, SessionUse>();
  #timer: Timer | undefined;

  constructor(deps: UsesDeps) {
    this.#deps = deps;
  }

  /** A token was used now. */
  token(prefix: TokenPrefix, from: string): void {
    const use = { prefix, atMs: this.#deps.clock.now(), from };
    if (isSame(this.#tokens.get(prefix), use)) return;
    this.#tokens.set(prefix, use);
    this.#announce({ kind: "uses", tokens: [use], sessions: [] });
  }

  /** A session was used now, and lasts until then. */
  session(use: SessionUse): void {
    if (isSame(this.#sessions.get(use.session), use)) return;
    this.#sessions.set(use.session, use);
    this.#announce({ kind: "uses", tokens: [], sessions: [use] });
  }

  /** What is in force and not on disk yet. */
  owed(): readonly PersonEdit[] {
    if (this.#tokens.size + this.#sessions.size === 0) return [];
    const [tokens, sessions] = [[...this.#tokens.values()], [...this.#sessions.values()]];
    return [{ kind: "uses", tokens, sessions }];
  }

  /** Writes what was noted. A disk that refuses costs these times, nothing else. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const owed = this.owed();
    this.#tokens = new Map();
    this.#sessions = new Map();
    if (owed.length === 0) return;
    await this.#deps.store.settle(owed).catch((caught: unknown) => {
      this.#deps.log.warn("times of last use were not written", { reason: errorText(caught) });
    });
  }

  #announce(edit: PersonEdit): void {
    const { store, clock } = this.#deps;
    store.announce([edit]);
    this.#timer ??= clock.after(FLUSH_MS, () => void this.flush());
  }
}

function isSame(
  before: { readonly atMs: number; readonly from: string } | undefined,
  now: { readonly atMs: number; readonly from: string },
): boolean {
  if (before === undefined || before.from !== now.from) return false;
  const sinceMs = now.atMs - before.atMs;
  return sinceMs >= 0 && sinceMs < SAME_USE_MS;
}
