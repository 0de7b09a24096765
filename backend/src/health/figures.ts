import { Counter, Gauge, Registry } from "prom-client";
import type { Figure } from "./figure.ts";

const PREFIX = "rport_";

/** What `/metrics` answers. */
export interface FiguresText {
  readonly contentType: string;
  readonly text: string;
}

/** The server's figures for Prometheus: read when somebody asks, from those who keep them. */
export class Figures {
  readonly #registry = new Registry();

  constructor(figures: readonly Figure[]) {
    for (const figure of figures) register(figure, this.#registry);
  }

  /** All figures as they are now. */
  async text(): Promise<FiguresText> {
    const text = await this.#registry.metrics();
    return { contentType: this.#registry.contentType, text };
  }
}

function register({ name, help, kind, labels = [], read }: Figure, registry: Registry): void {
  const shape = {
    name: PREFIX + name,
    help,
    labelNames: [...labels],
    registers: [registry],
  };
  if (kind === "gauge") {
    new Gauge({
      ...shape,
      async collect() {
        const samples = await read();
        this.reset();
        for (const { labels: own = {}, value } of samples) this.set(own, value);
      },
    });
    return;
  }
  new Counter({
    ...shape,
    // Those who count keep the whole number; a counter here can only be added to. Nothing is waited
    // for in between: of two who ask at once, one would add to what the other has added.
    async collect() {
      const samples = await read();
      this.reset();
      for (const { labels: own = {}, value } of samples) this.inc(own, value);
    },
  });
}
