import type { Permissions } from "@rport/protocol/people/right";
import type { SessionRecord } from "../../store/records/sessionRecord.ts";
import type { TokenRecord } from "../../store/records/tokenRecord.ts";
import type { Actor } from "../actor.ts";
import { AccountActor } from "./accountActor.ts";
import type { AccountEntry } from "./accountEntry.ts";

/** A token or a session that was shown, and who it shows. */
interface Shown {
  readonly actor: AccountActor;
  /** What is kept of it; undefined: it is gone. */
  readonly record: () => TokenRecord | SessionRecord | undefined;
}

/** One actor for each token and session that was shown, for as long as that works. */
export class LiveActors {
  readonly #permissionsOf: (groups: readonly string[]) => Permissions;
  readonly #shown = new Map<AccountEntry, Map<string, Shown>>();

  constructor(permissionsOf: (groups: readonly string[]) => Permissions) {
    this.#permissionsOf = permissionsOf;
  }

  /** Whom a token shows; it has to work. */
  ofToken(entry: AccountEntry, { prefix, scope }: TokenRecord): Actor {
    return this.#actorOf(entry, {
      id: prefix,
      scope,
      record: () => entry.token(prefix),
    });
  }

  /** Whom a session shows; it has to work. */
  ofSession(entry: AccountEntry, { session_id: id, scope }: SessionRecord): Actor {
    return this.#actorOf(entry, {
      id: String(id),
      scope: scope === "full" ? "read+write" : "signingIn",
      record: () => entry.session(id),
    });
  }

  /** Ends what works no longer, after an edit of the user. */
  review(entry: AccountEntry): void {
    this.#end(entry, (record) => record === undefined || isEnded(record));
  }

  /** Ends everything of the user. */
  endAll(entry: AccountEntry): void {
    this.#end(entry, () => true);
  }

  /** Ends what has expired; answers with the users of that. */
  expire(nowMs: number): readonly AccountEntry[] {
    return [...this.#shown.keys()].filter((entry) =>
      this.#end(entry, (record) => record === undefined || isOver(record, nowMs)),
    );
  }

  /** When the next of them ends; undefined: none does by itself. */
  nextEndMs(): number | undefined {
    const records = [...this.#shown.values()].flatMap((ofUser) =>
      [...ofUser.values()].map(({ record }) => record()),
    );
    const ends = records.map((record) => record?.expires_at ?? null).filter((end) => end !== null);
    // There may be more of them than a call takes arguments.
    return ends.map((end) => Date.parse(end)).reduce<number | undefined>(earlier, undefined);
  }

  #actorOf(
    entry: AccountEntry,
    { id, scope, record }: Pick<Shown, "record"> & Pick<Actor, "scope"> & { readonly id: string },
  ): Actor {
    const ofUser = this.#shown.get(entry) ?? new Map<string, Shown>();
    const known = ofUser.get(id);
    if (known !== undefined) return known.actor;
    const actor = new AccountActor({
      tokenId: id,
      accountId: entry.id,
      scope,
      name: () => entry.record.username,
      groups: () => entry.record.groups,
      permissions: () => this.#permissionsOf(actor.groups),
    });
    this.#shown.set(entry, ofUser.set(id, { actor, record }));
    return actor;
  }

  /** Whether something ended. */
  #end(
    entry: AccountEntry,
    ends: (record: TokenRecord | SessionRecord | undefined) => boolean,
  ): boolean {
    const ofUser = this.#shown.get(entry);
    const ended = [...(ofUser ?? [])].filter(([, { record }]) => ends(record()));
    for (const [id] of ended) ofUser?.delete(id);
    if (ofUser?.size === 0) this.#shown.delete(entry);
    for (const [, { actor }] of ended) actor.end();
    return ended.length > 0;
  }
}

function earlier(one: number | undefined, other: number): number {
  return one === undefined ? other : Math.min(one, other);
}

/** Whether its time is over. */
export function isOver(
  { expires_at: end }: Pick<TokenRecord, "expires_at">,
  nowMs: number,
): boolean {
  return end !== null && Date.parse(end) <= nowMs;
}

function isEnded(record: TokenRecord | SessionRecord): boolean {
  return "ended_at" in record && record.ended_at !== null;
}
