import { t } from "@vscode/l10n";
import type { Memento } from "vscode";
import { z } from "zod";
import { FILTER_MAX, type Filter, NO_FILTER, parseFilter } from "../model/shown/filter.ts";
import { GROUPINGS, type Grouping } from "../model/shown/grouping.ts";
import { type Arrangement, USUAL } from "../model/shown/shownClients.ts";
import { SORTINGS, type Sorting } from "../model/shown/sorting.ts";
import { Listeners } from "../support/listeners.ts";

/** Where the filter's text is kept, in each workspace. */
const FILTER_KEY = "clients.filter";

/** Where it is kept how each server's clients are grouped and sorted. */
const CHOSEN_KEY = "clients.chosen";
/** Where the ids of pinned clients are kept, by server. */
const PINNED_KEY = "clients.pinned";
/** Most clients of one server that are pinned. */
export const PINNED_MAX = 100;

const filterSchema = z.string().max(FILTER_MAX);

const chosenSchema = z.object({ groupBy: z.enum(GROUPINGS), sortBy: z.enum(SORTINGS) });
const pinnedSchema = z.array(z.string()).max(PINNED_MAX);
/** What is remembered of each server, by its key. */
const byServerSchema = z.record(z.string(), z.unknown());

/** What has changed: only what is said of it, the groups that clients are in, or their order, too. */
export type Rearrangement = "words" | "groups" | "all";

/** What is remembered with. */
export interface ArrangementMemory {
  readonly workspace: Pick<Memento, "get" | "update">;
  readonly global: Pick<Memento, "get" | "update">;
}

/**
 * How the clients view is arranged: what somebody chose, remembered. All windows share what is remembered of servers, so
 * each writes what it changes into what there is by then, and nothing else.
 */
export class Arrangements {
  readonly changed = new Listeners<Rearrangement>();
  readonly #memory: ArrangementMemory;
  readonly #chosen: Map<string, { readonly groupBy: Grouping; readonly sortBy: Sorting }>;
  readonly #pinned: Map<string, ReadonlySet<string>>;
  #filterText: string;
  #filter: Filter;
  #round = 0;
  #isBegun = true;
  #hidesOffline = false;
  /** By server, offline clients that somebody went to; they are not remembered. */
  readonly #wanted = new Map<string, ReadonlySet<string>>();
  /** What the filter was before somebody began to type another one. */
  #before: string | undefined;

  constructor(memory: ArrangementMemory) {
    this.#memory = memory;
    this.#chosen = usable(this.#remembered(CHOSEN_KEY), chosenSchema);
    const pinned = usable(this.#remembered(PINNED_KEY), pinnedSchema);
    this.#pinned = new Map([...pinned].map(([key, ids]) => [key, new Set(ids)]));
    const text = filterSchema.safeParse(memory.workspace.get(FILTER_KEY)).data ?? "";
    const parsed = parseFilter(text);
    this.#filter = "filter" in parsed ? parsed.filter : NO_FILTER;
    this.#filterText = this.isFiltered ? text : "";
    this.#round = this.isFiltered ? 1 : 0;
  }

  /** What was typed for a filter; empty when there is none. */
  get filterText(): string {
    return this.#filterText;
  }

  /** Whether a filter leaves anything out. */
  get isFiltered(): boolean {
    return this.#filter.terms.length > 0;
  }

  /** Which filter this is, counted; 0: none. */
  get round(): number {
    return this.isFiltered ? this.#round : 0;
  }

  /** Whether somebody is typing one. */
  get isAsked(): boolean {
    return this.#before !== undefined;
  }

  /** Somebody begins to type one. The next change makes another one, of which nobody has closed a group yet. */
  beginFilter(): void {
    this.#isBegun = true;
    this.#before = this.#filterText;
    this.changed.emit("words");
  }

  /** Nobody types any more; what was typed stays. */
  endFilter(): void {
    if (this.#before === undefined) return;
    this.#before = undefined;
    this.changed.emit("words");
  }

  /** Takes back what was typed since `beginFilter`, else all of the filter. */
  clearFilter(): void {
    this.setFilter(this.#before ?? "");
    this.endFilter();
  }

  /** Sets the filter to what was typed, and remembers it. Answers what is wrong with it. */
  setFilter(text: string): string | undefined {
    const parsed = parseFilter(text);
    if ("mistake" in parsed) return parsed.mistake;
    const kept = parsed.filter.terms.length === 0 ? "" : text.trim();
    if (kept === this.#filterText) return undefined;
    if (this.#isBegun) this.#round += 1;
    this.#isBegun = false;
    this.#filter = parsed.filter;
    this.#filterText = kept;
    void this.#memory.workspace.update(FILTER_KEY, this.#filterText);
    this.changed.emit("groups");
    return undefined;
  }

  /** How the clients of a server are shown. */
  of(serverKey: string): Arrangement {
    const { groupBy, sortBy } = this.#chosen.get(serverKey) ?? USUAL;
    return {
      filter: this.#filter,
      groupBy,
      sortBy,
      pinned: this.pinnedOf(serverKey),
      hidesOffline: this.#hidesOffline,
      wanted: this.#wanted.get(serverKey) ?? USUAL.wanted,
    };
  }

  /** Whether clients that are offline are left out. */
  get hidesOffline(): boolean {
    return this.#hidesOffline;
  }

  /** Leaves out clients that are offline, or shows them again. */
  hideOffline(isHidden: boolean): void {
    if (isHidden === this.#hidesOffline) return;
    this.#hidesOffline = isHidden;
    this.#wanted.clear();
    this.changed.emit("groups");
  }

  /** Shows a client also while it is offline, until offline ones are shown and hidden again. */
  want(serverKey: string, clientId: string): void {
    this.#wanted.set(serverKey, new Set([...(this.#wanted.get(serverKey) ?? []), clientId]));
    this.changed.emit("groups");
  }

  /** Groups the clients of these servers by something else. */
  groupBy(serverKeys: readonly string[], groupBy: Grouping): void {
    for (const key of serverKeys) this.#chosen.set(key, { sortBy: this.of(key).sortBy, groupBy });
    this.#keepChosen(serverKeys, "groups");
  }

  /** Sorts the clients of these servers by something else. */
  sortBy(serverKeys: readonly string[], sortBy: Sorting): void {
    for (const key of serverKeys) this.#chosen.set(key, { groupBy: this.of(key).groupBy, sortBy });
    this.#keepChosen(serverKeys, "all");
  }

  /** The clients of a server that stand above the others. */
  pinnedOf(serverKey: string): ReadonlySet<string> {
    return this.#pinned.get(serverKey) ?? USUAL.pinned;
  }

  /** Whether a client stands above the others. */
  isPinned(serverKey: string, clientId: string): boolean {
    return this.pinnedOf(serverKey).has(clientId);
  }

  /** Has clients of a server stand above the others, or no more. Answers why that cannot be. */
  pin(serverKey: string, clientIds: readonly string[], isPinned: boolean): string | undefined {
    const remembered = this.#remembered(PINNED_KEY);
    const ids = new Set(usable(remembered, pinnedSchema).get(serverKey) ?? []);
    for (const id of clientIds) {
      if (isPinned) ids.add(id);
      else ids.delete(id);
    }
    if (ids.size > PINNED_MAX) {
      return t(
        "More than {0} clients of a server cannot be pinned. Groups by tag have room for more.",
        PINNED_MAX,
      );
    }
    this.#pinned.set(serverKey, ids);
    void this.#memory.global.update(PINNED_KEY, { ...remembered, [serverKey]: [...ids] });
    this.changed.emit("groups");
    return undefined;
  }

  #keepChosen(serverKeys: readonly string[], what: Rearrangement): void {
    const chosen = serverKeys.map((key) => [key, this.#chosen.get(key)] as const);
    const kept = { ...this.#remembered(CHOSEN_KEY), ...Object.fromEntries(chosen) };
    void this.#memory.global.update(CHOSEN_KEY, kept);
    this.changed.emit(what);
  }

  /** What is remembered by now, also by other windows, as it stands there. */
  #remembered(key: string): Readonly<Record<string, unknown>> {
    return byServerSchema.safeParse(this.#memory.global.get(key)).data ?? {};
  }
}

/** What of that can be used, by server. */
function usable<T>(
  remembered: Readonly<Record<string, unknown>>,
  schema: z.ZodType<T>,
): Map<string, T> {
  const parsed = Object.entries(remembered).map(
    ([key, value]) => [key, schema.safeParse(value).data] as const,
  );
  return new Map(
    parsed.flatMap(([key, data]) => (data === undefined ? [] : [[key, data] as const])),
  );
}
