import { RportError } from "@rport/protocol/errors";
import type { RefusalReason } from "@rport/protocol/refusal";
import type { Denial } from "../../credentials/admission/verdicts.ts";

/** What an agent is told when the server does not know itself what went wrong. */
const UNFORESEEN = "the server could not register the client; try again later";

/**
 * Thrown where an agent that signed in is not let in. Its `cause` is what nobody foresaw: that is
 * for the log, and the agent is not told of it.
 */
export class Refused extends Error implements Denial {
  readonly why: RefusalReason;

  constructor(why: RefusalReason, text: string, options?: ErrorOptions) {
    super(text, options);
    this.name = "Refused";
    this.why = why;
  }

  get text(): string {
    return this.message;
  }

  /** As was decided. */
  static denied({ why, text }: Denial): Refused {
    return new Refused(why, text);
  }

  /** For an agent that does not keep to the protocol. */
  static protocol(text: string): Refused {
    return new Refused("protocol", text);
  }

  /** Whatever was thrown as a refusal, which is listed under `why` unless it says otherwise. */
  static because(caught: unknown, why: RefusalReason): Refused {
    if (caught instanceof Refused) return caught;
    if (caught instanceof RportError) return new Refused(why, caught.message);
    return new Refused(why, UNFORESEEN, { cause: caught });
  }
}

/**
 * Takes one step of letting an agent in. Throws nothing but `Refused`; `why` is the word for what
 * the step itself did not foresee.
 */
export async function refusing<T>(why: RefusalReason, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (caught) {
    throw Refused.because(caught, why);
  }
}
