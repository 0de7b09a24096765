import type { Rearranged } from "../model/arrange.ts";
import type { MirrorChange } from "../model/mirror.ts";

/** What those who show a server want to hear of. */
export type ServerChange =
  | { readonly kind: "state" }
  /** Everything may be different. */
  | { readonly kind: "reset" }
  | { readonly kind: "changed"; readonly changes: readonly ArrangedChange[] };

/** A change, with the groups of clients that it rearranged. */
export interface ArrangedChange {
  readonly change: MirrorChange;
  readonly rearranged: Rearranged | undefined;
}
