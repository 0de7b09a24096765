/** What can hold a text: snapshots that are read, and deltas that wait. */
export type Holding = "inSnapshots" | "inDeltas";

/**
 * A change as it stands in every delta that has it, `,{"entity":…,"id":…,"value":…}` in UTF-8 with its
 * comma; snapshots have the value of it. It is there once, however many messages have it.
 */
export class SharedText {
  /** Tells it from all others. */
  readonly serial: number;
  readonly bytes: Buffer;
  readonly #valueStart: number;
  /** How many snapshots hold it; `SharedBytes` counts. */
  inSnapshots = 0;
  /** How many deltas that wait hold it. */
  inDeltas = 0;

  /** `before` is everything up to the value. */
  constructor(serial: number, before: string, value: string) {
    this.serial = serial;
    this.bytes = Buffer.from(`${before}${value}}`);
    this.#valueStart = Buffer.byteLength(before);
  }

  /** The value as JSON. */
  get value(): Buffer {
    return this.bytes.subarray(this.#valueStart, -1);
  }
}

/** Counts the bytes of the texts that somebody holds, each once. */
export class SharedBytes {
  readonly #holding: Holding;
  #bytes = 0;

  constructor(holding: Holding) {
    this.#holding = holding;
  }

  /** What all texts have that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One more holds these. */
  hold(texts: readonly SharedText[]): void {
    for (const text of texts) {
      if (text[this.#holding] === 0) this.#bytes += text.bytes.length;
      text[this.#holding] += 1;
    }
  }

  /** One less holds these. */
  release(texts: readonly SharedText[]): void {
    for (const text of texts) {
      text[this.#holding] -= 1;
      if (text[this.#holding] === 0) this.#bytes -= text.bytes.length;
    }
  }
}
