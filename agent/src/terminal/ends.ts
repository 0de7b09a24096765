import type { HeldTerminal } from "@rport/protocol/terminal/terminal";

/** The server, as long as it is connected and knows terminals. */
export interface EndListener {
  /** Tells how a terminal ended; whether the server took it. Rejects when the connection has ended. */
  tellEnd(ended: HeldTerminal): Promise<boolean>;
  /** Resolves when the server has everything that was answered before. Rejects as above. */
  settle(): Promise<void>;
}

/** Ends that wait for a server; of more the oldest are forgotten. */
const KEPT = 32;

/** How terminals ended that nobody was told of yet. */
export class Ends {
  readonly #onForgotten: (ended: HeldTerminal) => void;
  readonly #untold = new Map<string, HeldTerminal>();
  readonly #telling = new Set<Promise<void>>();
  #listener: EndListener | undefined;

  constructor(onForgotten: (ended: HeldTerminal) => void) {
    this.#onForgotten = onForgotten;
  }

  /** Those that nobody was told of. */
  get untold(): readonly HeldTerminal[] {
    return [...this.#untold.values()];
  }

  /** Who is told from now on, until the answer is called; what was not told, it hears when it asks. */
  listen(listener: EndListener): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }

  /** Keeps an end until it is told. */
  add(ended: HeldTerminal): void {
    this.#untold.set(ended.id, ended);
    for (const [id, oldest] of this.#untold) {
      if (this.#untold.size <= KEPT) break;
      this.#untold.delete(id);
      this.#onForgotten(oldest);
    }
    this.#begin(this.#tell(ended));
  }

  /** What the server is answered that asks; it counts as told once the server has it. */
  answered(): readonly HeldTerminal[] {
    const told = this.untold;
    if (told.length > 0) this.#begin(this.#settle(told));
    return told;
  }

  /** Resolves when everybody who is being told was, or cannot be. */
  async allTold(): Promise<void> {
    await Promise.all(this.#telling);
  }

  async #tell(ended: HeldTerminal): Promise<void> {
    const isTold = await this.#listener?.tellEnd(ended);
    if (isTold === true) this.#untold.delete(ended.id);
  }

  async #settle(told: readonly HeldTerminal[]): Promise<void> {
    const listener = this.#listener;
    // The answer leaves in this turn of the event loop.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (listener === undefined) return;
    await listener.settle();
    for (const { id } of told) this.#untold.delete(id);
  }

  #begin(telling: Promise<void>): void {
    // The next connection asks for what this one did not take.
    const done = telling.catch(() => undefined).finally(() => this.#telling.delete(done));
    this.#telling.add(done);
  }
}
