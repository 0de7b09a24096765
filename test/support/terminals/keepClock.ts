import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { HeldClock } from "./heldClock.ts";

/** The machine's clock, but what is due after terminals are kept no longer is due when a test says so. */
export class KeepClock extends HeldClock {
  constructor() {
    super(TERMINAL.keepMs + 60_000);
  }

  /** Terminals are kept no longer. */
  passKept(): void {
    this.pass();
  }
}
