import type { ClientGroupParams } from "@rport/protocol/people/clientGroup";
import type { ItemTexts } from "../lists/itemTexts.ts";
import { type GroupableClient, TRAIT_COLUMNS } from "./groupFit.ts";

type Trait = keyof ClientGroupParams;

const TRAITS = Object.keys(TRAIT_COLUMNS) as readonly Trait[];

/** How many texts all groups of clients look for, by trait: what a look at a client costs at the most. */
export class PatternCount {
  readonly #counts = new Map<Trait, number>();

  /** A group with these parameters is there. */
  add(params: ClientGroupParams): void {
    this.#count(params, 1);
  }

  /** One is there no more. */
  remove(params: ClientGroupParams): void {
    this.#count(params, -1);
  }

  /** How many texts are compared when all groups are asked about a client. */
  testsOf(client: ItemTexts<GroupableClient>): number {
    let tests = 0;
    for (const [trait, count] of this.#counts) {
      if (count > 0) tests += count * client.of(TRAIT_COLUMNS[trait]).length;
    }
    return tests;
  }

  #count(params: ClientGroupParams, by: 1 | -1): void {
    for (const trait of TRAITS) {
      const texts = textsOf(params[trait]);
      if (texts > 0) this.#counts.set(trait, (this.#counts.get(trait) ?? 0) + by * texts);
    }
  }
}

function textsOf(wanted: ClientGroupParams[Trait]): number {
  if (wanted === null || wanted === undefined) return 0;
  if (Array.isArray(wanted)) return wanted.length;
  return "and" in wanted ? wanted.and.length : wanted.or.length;
}
