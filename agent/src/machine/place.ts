import type { Layout } from "./layout.ts";
import type { Self } from "./self.ts";

/** Where an agent is installed, and as whom it runs. */
export interface Place {
  readonly layout: Layout;
  /** The program that is to be installed. */
  readonly self: Self;
  /** Undefined: whoever installs. */
  readonly user: string | undefined;
}
