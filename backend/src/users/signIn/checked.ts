import type { Actor } from "../actor.ts";

/** What came of a secret that is right: who it shows, or why it opens nothing any more. */
export type Checked =
  | { readonly kind: "actor"; readonly actor: Actor }
  | { readonly kind: "ended"; readonly why: string };
