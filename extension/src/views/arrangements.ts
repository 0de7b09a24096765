import type { Memento } from "vscode";
import { z } from "zod";
import { FILTER_MAX, type Filter, NO_FILTER, parseFilter } from "../model/shown/filter.ts";
import { type Arrangement, USUAL } from "../model/shown/shownClients.ts";
import { Listeners } from "../support/listeners.ts";

/** Where the filter's text is kept, in each workspace. */
const FILTER_KEY = "clients.filter";

const filterSchema = z.string().max(FILTER_MAX);

/** What has changed: only what is said of it, the groups that clients are in, or their order, too. */
export type Rearrangement = "words" | "groups" | "all";

/** What is remembered with. */
export interface ArrangementMemory {
  readonly workspace: Pick<Memento, "get" | "update">;
}

/** How the clients view is arranged: what somebody chose, remembered. */
export class Arrangements {
  readonly changed = new Listeners<Rearrangement>();
  readonly #memory: ArrangementMemory;
  #filterText: string;
  #filter: Filter;
  #round = 0;
  #isBegun = true;
  /** What the filter was before somebody began to type another one. */
  #before: string | undefined;

  constructor(memory: ArrangementMemory) {
    this.#memory = memory;
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
  of(_serverKey: string): Arrangement {
    return { ...USUAL, filter: this.#filter };
  }
}
