import type { Delta } from "@rport/protocol/events";
import type { Encoded } from "./encodedThing.ts";
import { bytesOf, fingerprintOf, hasSameTexts, type Message } from "./message.ts";
import type { SharedText } from "./sharedText.ts";
import type { ShownThings } from "./shownThings.ts";

/** Before each change but the first. */
const COMMA_BYTES = 1;
const TAIL = Buffer.from("]}");

/** What changed, for those who are shown as much of it. */
export class DeltaMessage implements Message {
  readonly key: string;
  readonly texts: readonly SharedText[];
  /** What its texts have. */
  readonly bytes: number;
  readonly #head: string;

  /** `head` is everything before the changes. */
  constructor(head: string, texts: readonly SharedText[]) {
    this.texts = texts;
    this.bytes = bytesOf(texts);
    this.#head = head;
    this.key = `${head}${fingerprintOf(texts)}`;
  }

  encode(): Buffer {
    const [first, ...others] = this.texts.map(({ bytes }) => bytes);
    const start = first?.subarray(COMMA_BYTES) ?? Buffer.alloc(0);
    return Buffer.concat([Buffer.from(this.#head), start, ...others, TAIL]);
  }
}

/** What changed at one time. */
export class Changes {
  readonly #at: Delta["at"];
  readonly #changes: readonly Encoded[];
  /** What others were told before; many are told the same. */
  #last: { readonly seq: number; readonly message: DeltaMessage } | undefined;

  /** `at` is RFC 3339. */
  constructor(at: Delta["at"], changes: readonly Encoded[]) {
    this.#at = at;
    this.#changes = changes;
  }

  /** How many. */
  get size(): number {
    return this.#changes.length;
  }

  /** What of it these watchers are told; undefined: nothing. */
  for(shown: ShownThings, seq: number): DeltaMessage | undefined {
    const texts = this.#changes.flatMap((change) => shown.changeOf(change) ?? []);
    if (texts.length === 0) return undefined;
    const last = this.#last;
    if (last?.seq === seq && hasSameTexts(last.message.texts, texts)) return last.message;
    const message = this.#messageOf(seq, texts);
    this.#last = { seq, message };
    return message;
  }

  #messageOf(seq: number, texts: readonly SharedText[]): DeltaMessage {
    const opened = JSON.stringify({ type: "delta", seq, at: this.#at }).slice(0, -1);
    return new DeltaMessage(`${opened},"changes":[`, texts);
  }
}
