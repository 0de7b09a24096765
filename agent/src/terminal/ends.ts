import type { HeldTerminal } from "@rport/protocol/terminal/terminal";

/** The server, as long as it is connected and knows terminals. */
export interface EndListener {
  /** What it is recognised by, at whatever address it is. */
  readonly server: string;
  /** Tells how a terminal ended; whether the server took it. Rejects when the connection has ended. */
  tellEnd(ended: HeldTerminal): Promise<boolean>;
  /** Resolves when the server has everything that was answered before. Rejects as above. */
  settle(): Promise<void>;
}

/** Ends that wait for a server; of more the oldest are forgotten. */
const KEPT = 32;

interface Untold {
  readonly ended: HeldTerminal;
  /** Who opened it; undefined: anybody may have. */
  readonly opener: string | undefined;
  /** The servers that have heard of it, and are not the opener. */
  readonly others: Set<string>;
}

/**
 * How terminals ended that the server that opened them was not told of yet: another one, which the
 * agent was connected to meanwhile, hears of them, too, and takes nothing away.
 */
export class Ends {
  readonly #onForgotten: (ended: HeldTerminal) => void;
  readonly #untold = new Map<string, Untold>();
  readonly #telling = new Set<Promise<void>>();
  #listener: EndListener | undefined;

  constructor(onForgotten: (ended: HeldTerminal) => void) {
    this.#onForgotten = onForgotten;
  }

  /** Those that the server was not told of that is connected. */
  get untold(): readonly HeldTerminal[] {
    const server = this.server ?? "";
    const all = [...this.#untold.values()];
    return all.filter(({ others }) => !others.has(server)).map(({ ended }) => ended);
  }

  /** The one that is connected. */
  get server(): string | undefined {
    return this.#listener?.server;
  }

  /** Who is told from now on, until the answer is called; what was not told, it hears when it asks. */
  listen(listener: EndListener): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }

  /** Keeps an end until whoever opened the terminal is told. */
  add(ended: HeldTerminal, opener: string | undefined): void {
    this.#untold.set(ended.id, { ended, opener, others: new Set() });
    for (const [id, oldest] of this.#untold) {
      if (this.#untold.size <= KEPT) break;
      this.#untold.delete(id);
      this.#onForgotten(oldest.ended);
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
    const listener = this.#listener;
    const isTold = await listener?.tellEnd(ended);
    if (listener !== undefined && isTold === true) this.#heard(listener.server, ended.id);
  }

  async #settle(told: readonly HeldTerminal[]): Promise<void> {
    const listener = this.#listener;
    // The answer leaves in this turn of the event loop.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (listener === undefined) return;
    await listener.settle();
    for (const { id } of told) this.#heard(listener.server, id);
  }

  #heard(server: string, id: string): void {
    const untold = this.#untold.get(id);
    if (untold === undefined) return;
    if (untold.opener === undefined || untold.opener === server) this.#untold.delete(id);
    else untold.others.add(server);
  }

  #begin(telling: Promise<void>): void {
    // The next connection asks for what this one did not take.
    const done = telling.catch(() => undefined).finally(() => this.#telling.delete(done));
    this.#telling.add(done);
  }
}
