import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../limits/limits.ts";
import type { Clock } from "../platform/clock.ts";
import { Lane } from "../platform/lane.ts";
import { inSlices } from "../platform/slices.ts";
import { ItemTexts } from "./itemTexts.ts";
import { comparer, type Ranked, ranked } from "./listOrder.ts";
import { type ListQuery, parseListQuery } from "./listQuery.ts";
import type { ListSpec, RawQuery } from "./listSpec.ts";

/** Users whose searches may all wait at once; a search of one more is turned away. */
const WAITING_USERS = 64;

/** What searches need. */
export interface ListSearchesDeps {
  readonly limits: Pick<Limits, "max" | "bite">;
  readonly clock: Pick<Clock, "monotonic">;
}

/** A list, and what somebody asks of it. */
export interface Listing<T, R> {
  /** Read over many turns of the event loop, while things come and go. */
  readonly items: Iterable<T>;
  readonly query: RawQuery;
  readonly spec: ListSpec<T>;
  /** What is answered of an item on the page, of which these members were asked for. */
  readonly row: (item: T, fields: readonly string[]) => R;
}

/** A page of a list, and how many items all pages have. */
export interface FoundRows<R> {
  readonly data: R[];
  readonly count: number;
}

/**
 * Searches lists, a few milliseconds per turn of the event loop, one search at a time and each user's
 * in turn: whoever asks for much waits for it, and nobody else does.
 */
export class ListSearches {
  readonly #deps: ListSearchesDeps;
  readonly #lane: Lane;

  constructor(deps: ListSearchesDeps) {
    const waitingOfOne = deps.limits.max("list_queries");
    this.#deps = deps;
    this.#lane = new Lane({ running: 1, waitingOfOne, waiting: WAITING_USERS * waitingOfOne });
  }

  /**
   * The page that the user asks for. Fails with `BAD_REQUEST` when the query is not understood, or
   * takes too long, and with `TOO_MANY_REQUESTS` when too many of the user's wait already.
   */
  async run<T, R>(user: string, listing: Listing<T, R>): Promise<FoundRows<R>> {
    const query = parseListQuery(listing.query, listing.spec);
    const searching = this.#lane.run(() => this.#search(query, listing), user);
    if (searching !== undefined) return await searching;
    this.#deps.limits.bite("list_queries", { user });
    throw new RportError("TOO_MANY_REQUESTS", "Too many of your searches wait already.", {
      detail: "Try again in a moment.",
    });
  }

  async #search<T, R>(query: ListQuery<T>, listing: Listing<T, R>): Promise<FoundRows<R>> {
    const { items, spec, row } = listing;
    const { conditions, limit, offset, fields } = query;
    const found: Ranked<T>[] = [];
    await this.#each(items, (item) => {
      const texts = new ItemTexts(item);
      if (conditions.every(({ holds }) => holds(texts))) found.push(ranked(item, query, spec));
    });
    found.sort(comparer(query));
    const data: R[] = [];
    const page = found.slice(offset, offset + limit);
    await this.#each(page, ({ item }) => data.push(row(item, fields)));
    return { data, count: found.length };
  }

  /** What others do between two turns is not counted: a busy server refuses nobody. */
  async #each<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
    const { limits, clock } = this.#deps;
    const maxMs = limits.max("list_query_ms");
    let spentMs = 0;
    await inSlices(items, { clock }, (item) => {
      const startMs = clock.monotonic();
      work(item);
      spentMs += clock.monotonic() - startMs;
      if (spentMs > maxMs) throw this.#tooLong();
    });
  }

  #tooLong(): RportError {
    this.#deps.limits.bite("list_query_ms");
    return new RportError("BAD_REQUEST", "This search takes too long.", {
      detail: "Narrow it: to fewer columns, or fewer values with a wildcard.",
    });
  }
}
