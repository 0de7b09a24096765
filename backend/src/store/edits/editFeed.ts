import { errorText, type Log } from "../../platform/log.ts";
import type { Edit } from "./edit.ts";

/** Sees edits that are in force; `seq` grows by one with each call, so that none can be missed unseen. */
export type Follower = (edits: readonly Edit[], seq: number) => void;

/**
 * Tells every follower of every edit, in the order in which they came into force, once. Edits that a
 * follower brings about are told after those it is being told of.
 */
export class EditFeed {
  readonly #log: Log;
  readonly #followers: Follower[] = [];
  readonly #waiting: (readonly Edit[])[] = [];
  #isTelling = false;
  #seq = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Tells the follower of everything from now on, after those that follow already. */
  follow(follower: Follower): void {
    this.#followers.push(follower);
  }

  /** These edits are in force now. */
  announce(edits: readonly Edit[]): void {
    if (edits.length === 0) return;
    this.#waiting.push(edits);
    if (this.#isTelling) return;
    this.#isTelling = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) this.#tell(next);
    this.#isTelling = false;
  }

  /**
   * What is durable stays so, whatever a follower makes of it: its fault is its own. None refuses what is
   * durable because something was told ahead of it.
   */
  #tell(edits: readonly Edit[]): void {
    this.#seq += 1;
    for (const follower of this.#followers) {
      try {
        follower(edits, this.#seq);
      } catch (caught) {
        this.#log.error("a change was not followed", { reason: errorText(caught) });
      }
    }
  }
}
