import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { ClientId } from "@rport/protocol/ids";
import { type TerminalId, terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { bytes } from "../platform/random.ts";

/** Half of an id is chance, the other half says that it was given here. */
const HALF_BYTES = 8;
const UNRECORDED = "terminal";
const RECORDED = "recorded terminal";

type Purpose = typeof UNRECORDED | typeof RECORDED;

/** Whose terminal it is, and on which client. */
export interface TerminalPlace {
  readonly clientId: ClientId;
  /** `Sharer.accountId`. */
  readonly owner: string;
}

/**
 * The ids of terminals. Hosts tell after a restart of the server which ones they have; from the id it
 * is known that this server gave it for that client and that owner, so no host can say that somebody
 * had terminals there who had none.
 */
export class TerminalIds {
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** A new one, which nobody guesses; of a terminal that is recorded to its end, or not at all. */
  give(place: TerminalPlace, isRecorded = false): TerminalId {
    const chance = bytes(HALF_BYTES);
    const purpose = isRecorded ? RECORDED : UNRECORDED;
    return terminalIdSchema.parse(this.#joined(chance, place, purpose).toString("base64url"));
  }

  /** Whether this server gave it for that client and that owner. */
  isGiven(id: TerminalId, place: TerminalPlace): boolean {
    return this.#isFor(id, place, UNRECORDED) || this.isRecorded(id, place);
  }

  /** Whether it gave it for a terminal that is recorded: so it is known after a restart, whatever a host says. */
  isRecorded(id: TerminalId, place: TerminalPlace): boolean {
    return this.#isFor(id, place, RECORDED);
  }

  #isFor(id: TerminalId, place: TerminalPlace, purpose: Purpose): boolean {
    const chance = Buffer.from(id, "base64url").subarray(0, HALF_BYTES);
    // As texts: the last character has bits that stand for nothing, and one terminal has one id.
    const ours = Buffer.from(this.#joined(chance, place, purpose).toString("base64url"));
    const shown = Buffer.from(id);
    return shown.length === ours.length && timingSafeEqual(shown, ours);
  }

  #joined(chance: Buffer, { clientId, owner }: TerminalPlace, purpose: Purpose): Buffer {
    const said = JSON.stringify([purpose, chance.toString("base64url"), clientId, owner]);
    const proof = createHmac("sha256", this.#key).update(said).digest();
    return Buffer.concat([chance, proof.subarray(0, HALF_BYTES)]);
  }
}
