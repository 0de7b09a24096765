import { timingSafeEqual } from "node:crypto";
import { SERVICE_STEPS_MAX, type ServiceStep } from "@rport/protocol/pairing/service";
import { ownBytes } from "../../platform/ownBytes.ts";
import { printable } from "../printable.ts";

/** A step without its number. */
export type NewServiceStep = ServiceStep extends infer S
  ? S extends ServiceStep
    ? Omit<S, "n">
    : never
  : never;

/** Texts of a step that come from hosts get this long. */
const TEXT_MAX = 500;

interface Kept {
  readonly step: ServiceStep;
  readonly bytes: number;
}

/** What has happened with one deposit, for the server that made it. */
export class Journal {
  /** Who deposited it. */
  readonly depositor: string;
  readonly #watchKey: Buffer;
  #kept: readonly Kept[] = [];
  #count = 0;
  #bytes = 0;

  constructor(depositor: string, watchKey: Buffer) {
    this.depositor = depositor;
    this.#watchKey = ownBytes(watchKey);
  }

  /** What its steps take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a key is the one that it was deposited with. */
  isWatchedBy(key: Buffer): boolean {
    return key.length === this.#watchKey.length && timingSafeEqual(key, this.#watchKey);
  }

  /** Adds a step; while it has more steps than it may, or takes more than `maxBytes`, some go. */
  add(added: NewServiceStep, maxBytes: number): void {
    this.#count += 1;
    const step = { ...cleaned(added), n: this.#count };
    const bytes = Buffer.byteLength(JSON.stringify(step));
    this.#kept = [...this.#kept, { step, bytes }];
    this.#bytes += bytes;
    while (this.#kept.length > SERVICE_STEPS_MAX || this.#bytes > maxBytes) {
      if (!this.#dropOne()) break;
    }
  }

  /**
   * The steps beyond a number that go into so many bytes, the oldest first. A number beyond all there
   * are is of another journal, so whoever has it is told everything.
   */
  after(n: number, maxBytes: number): readonly ServiceStep[] {
    let left = maxBytes;
    const news = this.#kept.filter(({ step }) => step.n > (n > this.#count ? 0 : n));
    const end = news.findIndex(({ bytes }) => {
      left -= bytes;
      return left < 0;
    });
    return (end === -1 ? news : news.slice(0, end)).map(({ step }) => step);
  }

  /** What anybody can bring about who knows an id goes first, then what is oldest; never the last one. */
  #dropOne(): boolean {
    const earlier = this.#kept.slice(0, -1);
    const cheap = earlier.find(({ step: { kind } }) => kind === "fetched" || kind === "refused");
    const dropped = cheap ?? earlier[0];
    if (dropped === undefined) return false;
    this.#kept = this.#kept.filter((one) => one !== dropped);
    this.#bytes -= dropped.bytes;
    return true;
  }
}

/** Outside text as printable lines. */
function cleaned(step: NewServiceStep): NewServiceStep {
  switch (step.kind) {
    case "fetched":
    case "guessed":
      return step;
    case "claimed":
      return { ...step, hostname: printable(step.hostname, TEXT_MAX) };
    case "refused": {
      const hostname = step.hostname === null ? null : printable(step.hostname, TEXT_MAX);
      return { ...step, hostname };
    }
    case "reported":
      return {
        ...step,
        client_id: printable(step.client_id, TEXT_MAX),
        hostname: printable(step.hostname, TEXT_MAX),
        step: printable(step.step, TEXT_MAX),
        text: printable(step.text, TEXT_MAX),
      };
  }
}
