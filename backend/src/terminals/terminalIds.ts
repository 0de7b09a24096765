import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { ClientId } from "@rport/protocol/ids";
import { type TerminalId, terminalIdSchema } from "@rport/protocol/terminal/terminal";
import type { Clock } from "../platform/clock.ts";
import { bytes } from "../platform/random.ts";

/** Half of an id says when it was given, the other half that this was here. */
const HALF_BYTES = 8;
const UNRECORDED = "terminal";
const RECORDED = "recorded terminal";

type Purpose = typeof UNRECORDED | typeof RECORDED;
/** In the first half: seconds since the epoch, which run of the server it was, and a count. */
const RUN_AT = 4;
const COUNT_AT = 6;
const UINT16 = 1 << 16;
const UINT32 = 2 ** 32;

/** Whose terminal it is, and on which client. */
export interface TerminalPlace {
  readonly clientId: ClientId;
  /** `Sharer.accountId`. */
  readonly owner: string;
}

/**
 * The ids of terminals. Hosts tell after a restart of the server which ones they have; from the id it
 * is known that this server gave it for that client and that owner, so no host can say that somebody
 * had terminals there who had none, nor since when, and none comes back that this run of the server has
 * seen the end of.
 */
export class TerminalIds {
  readonly #key: KeyObject;
  readonly #clock: Pick<Clock, "now">;
  readonly #run = bytes(2).readUInt16BE();
  readonly #beganS: number;
  #count = 0;

  constructor(key: KeyObject, clock: Pick<Clock, "now">) {
    this.#key = key;
    this.#clock = clock;
    this.#beganS = secondsOf(clock);
  }

  /** A new one, which nobody guesses; of a terminal that is recorded to its end, or not at all. */
  give(place: TerminalPlace, isRecorded = false): TerminalId {
    const purpose = isRecorded ? RECORDED : UNRECORDED;
    return terminalIdSchema.parse(
      this.#joined(this.#nextHead(), place, purpose).toString("base64url"),
    );
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
    // As texts: the last character has bits that stand for nothing, and one terminal has one id.
    const ours = Buffer.from(this.#joined(headOf(id), place, purpose).toString("base64url"));
    const shown = Buffer.from(id);
    return shown.length === ours.length && timingSafeEqual(shown, ours);
  }

  /** When one was given, to the second, in milliseconds since the epoch; of one that `isGiven`. */
  givenAtMs(id: TerminalId): number {
    return headOf(id).readUInt32BE() * 1_000;
  }

  /** Whether one was given since this server was started; of one that `isGiven`. */
  isOfThisRun(id: TerminalId): boolean {
    const head = headOf(id);
    return head.readUInt16BE(RUN_AT) === this.#run && head.readUInt32BE() >= this.#beganS;
  }

  #nextHead(): Buffer {
    const head = Buffer.alloc(HALF_BYTES);
    head.writeUInt32BE(secondsOf(this.#clock));
    head.writeUInt16BE(this.#run, RUN_AT);
    head.writeUInt16BE(this.#count, COUNT_AT);
    this.#count = (this.#count + 1) % UINT16;
    return head;
  }

  #joined(head: Buffer, { clientId, owner }: TerminalPlace, purpose: Purpose): Buffer {
    const said = JSON.stringify([purpose, head.toString("base64url"), clientId, owner]);
    const proof = createHmac("sha256", this.#key).update(said).digest();
    return Buffer.concat([head, proof.subarray(0, HALF_BYTES)]);
  }
}

function headOf(id: TerminalId): Buffer {
  return Buffer.from(id, "base64url").subarray(0, HALF_BYTES);
}

function secondsOf(clock: Pick<Clock, "now">): number {
  return Math.floor(clock.now() / 1_000) % UINT32;
}
