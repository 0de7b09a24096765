import type { Scene } from "./scene.ts";
import type { Trial } from "./trial.ts";

/** What a fault does to those that have nothing to do with it. */
export type Harm =
  /** Everybody is cut: the server itself is gone for a moment. */
  | "cuts"
  /** The server stands still, and nobody is cut. */
  | "stalls"
  /** Nobody notices. */
  | "none";

/** One kind of trouble: how it is made, and what has to hold while it lasts. */
export interface Fault {
  /** The word for the command line. */
  readonly name: string;
  /** A sentence for people. */
  readonly title: string;
  readonly harm: Harm;
  /** What this machine lacks for it; undefined when it lacks nothing. */
  lacks?(scene: Scene): string | undefined;
  /**
   * Brings it about, has the credential of the doomed deleted in the middle of it, and takes it away again, also
   * when something in between fails.
   */
  run(trial: Trial): Promise<void>;
}
