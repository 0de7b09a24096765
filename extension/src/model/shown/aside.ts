import type { Client } from "@rport/protocol/model";
import { statusOf } from "../arrange.ts";
import type { Mirror } from "../mirror.ts";
import type { Filter } from "./filter.ts";

/** What says whether clients that are offline are shown. */
export interface AsideRules {
  readonly filter: Filter;
  /** Ids of those that stand above the others. */
  readonly pinned: ReadonlySet<string>;
  /** Whether those that are offline are left out, unless something speaks for them. */
  readonly hidesOffline: boolean;
  /** Ids of those that somebody went to although they are offline. */
  readonly wanted: ReadonlySet<string>;
}

/** Ids of hosts that are turned away at the server's door, or wait there for a person. */
export function callersOf({ maps }: Pick<Mirror, "maps">): ReadonlySet<string> {
  const callers = new Set<string>();
  for (const { client_id: id } of maps.refusals.values()) if (id !== null) callers.add(id);
  for (const { client_id: id } of maps.joins.values()) callers.add(id);
  return callers;
}

/**
 * Which clients are left out because they are offline. Pinned ones are not, nor those that knock at the server's
 * door, which wait for somebody to act; and a filter that asks for a status is told of all that have it.
 */
export class Aside {
  callers: ReadonlySet<string> = new Set();
  readonly #hidden = new Set<string>();
  #rules: AsideRules | undefined;
  #asksStatus = false;

  /** How many are left out. */
  get size(): number {
    return this.#hidden.size;
  }

  /** From now on these rules count. */
  set(rules: AsideRules): void {
    this.#rules = rules;
    this.#asksStatus = rules.filter.terms.some(({ key }) => key === "status");
  }

  /** Nobody is left out yet. */
  clear(): void {
    this.#hidden.clear();
  }

  /** Ids of those that are callers now and not in `callers`, or the other way round. */
  othersThan(callers: ReadonlySet<string>): readonly string[] {
    const gone = [...this.callers].filter((id) => !callers.has(id));
    return [...gone, ...[...callers].filter((id) => !this.callers.has(id))];
  }

  /** Keeps count of one that is left out, or is not, or has gone. */
  note(id: string, isHidden: boolean): void {
    if (isHidden) this.#hidden.add(id);
    else this.#hidden.delete(id);
  }

  /** Whether a client is left out. */
  hides(client: Client): boolean {
    const rules = this.#rules;
    if (rules === undefined || !rules.hidesOffline || this.#asksStatus) return false;
    const { id } = client;
    if (statusOf(client) === "online" || rules.pinned.has(id) || rules.wanted.has(id)) return false;
    return !this.callers.has(id);
  }
}
