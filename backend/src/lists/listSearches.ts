import { setImmediate as nextTurn } from "node:timers/promises";
import { RportError } from "@rport/protocol/errors";
import type { Limits } from "../limits/limits.ts";
import type { Sharer } from "../limits/sharer.ts";
import type { Clock } from "../platform/clock.ts";
import { Lane } from "../platform/lane.ts";
import { SlicedWork } from "../platform/slices.ts";
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

/** Does something to each of many, in slices; a search that takes too long ends here. */
export type Each = <T>(items: Iterable<T>, work: (item: T) => void) => Promise<void>;

/** A list, and what somebody asks of it. */
export interface Listing<T, R> {
  /** Read over many turns of the event loop, while things come and go. */
  readonly items: Iterable<T>;
  readonly query: RawQuery;
  readonly spec: ListSpec<T>;
  /**
   * What is answered of an item on the page, of which these members were asked for. One for which
   * much has to be looked at does that with `each`.
   */
  readonly row: (item: T, fields: readonly string[], each: Each) => R | Promise<R>;
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
  async run<T, R>(user: Sharer, listing: Listing<T, R>): Promise<FoundRows<R>> {
    const query = parseListQuery(listing.query, listing.spec);
    return await this.work(user, (each) => search(query, listing, each));
  }

  /** All of a list that takes no query, of which some may be left out: `row` answers undefined. */
  async all<T, R>(
    user: Sharer,
    items: () => Iterable<T>,
    row: (item: T) => R | undefined,
  ): Promise<FoundRows<R>> {
    return await this.work(user, async (each) => {
      const data: R[] = [];
      await each(items(), (item) => {
        const shown = row(item);
        if (shown !== undefined) data.push(shown);
      });
      return { data, count: data.length };
    });
  }

  /** Other work of that kind, when it is its turn. Fails as `run` does. */
  async work<R>({ accountId, name: user }: Sharer, job: (each: Each) => Promise<R>): Promise<R> {
    const answer = Promise.withResolvers<R>();
    const working = this.#lane.run(async () => {
      await job(this.#each()).then(answer.resolve, answer.reject);
      // Many short ones are as long as a long one: the next has another turn of the event loop.
      await nextTurn();
    }, accountId);
    if (working !== undefined) return await answer.promise;
    this.#deps.limits.bite("list_queries", { user });
    throw new RportError("TOO_MANY_REQUESTS", "Too many of your searches wait already.", {
      detail: "Try again in a moment.",
    });
  }

  /** What others do between two turns is not counted: a busy server refuses nobody. */
  #each(): Each {
    const { limits, clock } = this.#deps;
    const maxMs = limits.max("list_query_ms");
    const sliced = new SlicedWork({ clock });
    let spentMs = 0;
    return (items, work) =>
      sliced.each(items, (item) => {
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

async function search<T, R>(
  query: ListQuery<T>,
  { items, spec, row }: Listing<T, R>,
  each: Each,
): Promise<FoundRows<R>> {
  const { conditions, limit, offset, fields } = query;
  const found: Ranked<T>[] = [];
  await each(items, (item) => {
    const texts = new ItemTexts(item);
    if (conditions.every(({ holds }) => holds(texts))) found.push(ranked(item, query, spec));
  });
  found.sort(comparer(query));
  const rows: (R | Promise<R>)[] = [];
  for (const { item } of found.slice(offset, offset + limit)) {
    // One after the other: what one looks at takes slices, too.
    await each([item], () => rows.push(row(item, fields, each)));
    await rows.at(-1);
  }
  return { data: await Promise.all(rows), count: found.length };
}
