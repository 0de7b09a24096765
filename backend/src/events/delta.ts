import type { Delta } from "@rport/protocol/events";
import type { EncodedServer, EncodedThing, ShownThings } from "./shownThings.ts";

/** Before each change but the first. */
const COMMA_BYTES = 1;
const TAIL = Buffer.from("]}");

interface Made {
  readonly seq: number;
  readonly parts: readonly Buffer[];
  readonly message: Buffer;
}

/** Some changes as messages, one for all who see the same of them. */
export class DeltaMessages {
  readonly #at: string;
  readonly #changes: readonly (EncodedServer | EncodedThing)[];
  readonly #made: Made[] = [];

  /** `at` is RFC 3339. */
  constructor(at: Delta["at"], changes: readonly (EncodedServer | EncodedThing)[]) {
    this.#at = at;
    this.#changes = changes;
  }

  /** The message for those who are shown as much; undefined: nothing of it. */
  for(shown: ShownThings, seq: number): Buffer | undefined {
    const parts = this.#changes.flatMap((change) => shown.changeOf(change) ?? []);
    if (parts.length === 0) return undefined;
    const same = this.#made.find((made) => made.seq === seq && isSame(made.parts, parts));
    if (same !== undefined) return same.message;
    const message = this.#encode(seq, parts);
    this.#made.push({ seq, parts, message });
    return message;
  }

  #encode(seq: number, parts: readonly Buffer[]): Buffer {
    const opened = JSON.stringify({ type: "delta", seq, at: this.#at }).slice(0, -1);
    const head = Buffer.from(`${opened},"changes":[`);
    const [first, ...others] = parts;
    return Buffer.concat([head, first?.subarray(COMMA_BYTES) ?? TAIL, ...others, TAIL]);
  }
}

function isSame(one: readonly Buffer[], other: readonly Buffer[]): boolean {
  return one.length === other.length && one.every((part, n) => part === other[n]);
}
