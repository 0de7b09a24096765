import type { Layout } from "./layout.ts";
import type { Self } from "./self.ts";

/** Where an agent is installed, and as whom it runs. */
export interface Place {
  readonly layout: Layout;
  /** The program that is to be installed. */
  readonly self: Self;
  /** Undefined: whoever installs. */
  readonly user: string | undefined;
  /** Whether its service is left open, as a shell needs it; else it is confined. */
  readonly allowsTerminals?: boolean;
}
