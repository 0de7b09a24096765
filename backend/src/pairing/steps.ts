import {
  PAIRING_STEPS_MAX,
  type PairingStep,
  pairingStepSchema,
} from "@rport/protocol/pairing/model";
import { toTime } from "../platform/clock.ts";
import { printable } from "./printable.ts";

/** Something that has happened, without its time. */
export type NewStep = Pick<PairingStep, "kind"> &
  Partial<Omit<PairingStep, "kind" | "at" | "count">>;

/** Texts of a step that come from outside get this long. */
const TEXT_MAX = 500;
/** Addresses that fetched the script; anybody who knows a pairing's id can add one. */
const FETCHES_MAX = 8;

/** What has happened with one pairing, the oldest first; the same again is counted, not listed. */
export class PairingSteps {
  #steps: readonly PairingStep[] = [];

  /** Adds one that happened at `atMs`, milliseconds since the epoch. */
  add(step: NewStep, atMs: number): void {
    const added = pairingStepSchema.parse({ ...cleaned(step), at: toTime(atMs) });
    const before = this.#before(added);
    const others = this.#steps.filter((one) => one !== before);
    const steps = [...others, { ...added, count: (before?.count ?? 0) + 1 }];
    this.#steps = bounded(steps);
  }

  /** All that are kept. */
  view(): PairingStep[] {
    return [...this.#steps];
  }

  /** The same that happened before: fetching by an address at any time, everything else at last. */
  #before(added: PairingStep): PairingStep | undefined {
    if (added.kind !== "script_fetched") {
      const last = this.#steps.at(-1);
      return last !== undefined && isAlike(last, added) ? last : undefined;
    }
    return this.#steps.find(
      ({ kind, address }) => kind === added.kind && address === added.address,
    );
  }
}

function isAlike(one: PairingStep, other: PairingStep): boolean {
  return (
    one.kind === other.kind &&
    one.client_id === other.client_id &&
    one.reason === other.reason &&
    one.address === other.address
  );
}

/** The first one says when the pairing was made, and stays. */
function bounded(steps: readonly PairingStep[]): readonly PairingStep[] {
  const fetches = steps.filter(({ kind }) => kind === "script_fetched");
  const dropped = new Set(fetches.slice(0, Math.max(0, fetches.length - FETCHES_MAX)));
  const [first, ...rest] = steps.filter((step) => !dropped.has(step));
  return first === undefined ? [] : [first, ...rest.slice(-(PAIRING_STEPS_MAX - 1))];
}

/** Outside text as printable lines. */
function cleaned(step: NewStep): NewStep {
  const texts = Object.entries(step).map(([key, text]) => {
    return [key, printable(text, TEXT_MAX)];
  });
  return Object.fromEntries(texts);
}
