import type { Socket } from "node:net";
import { isProof, newNonce } from "@rport/protocol/localProof";
import { z } from "zod";
import type { Clock } from "../../support/clock.ts";
import { describeError } from "../../support/describeError.ts";
import { nextLine } from "./firstLine.ts";
import { VERSION } from "./messages.ts";
import { type GuestSide, proofOf } from "./proof.ts";

/** A window that is alive proves itself at once. */
export const HANDSHAKE_MS = 20_000;

/** 32 bytes in base64url. */
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const version = z.number().int();

const helloSchema = z.object({ type: z.literal("hello"), nonce: digest });
const proofSchema = z.object({ type: z.literal("proof"), version, proof: digest });
/** A window does not say that it is one. */
const guestProofSchema = proofSchema.extend({ as: z.literal("bridge").optional() });
const keeperProofSchema = proofSchema.extend({ nonce: digest });

/**
 * What came of two who met: the other side is a window of this person, or a program that it has started as
 * `side` says, and speaks that version; it has left before that could be seen; or it is not believed, and why,
 * for the log.
 */
export type Meeting =
  | { readonly kind: "proven"; readonly version: number; readonly side: GuestSide | "keeper" }
  | { readonly kind: "gone" }
  | { readonly kind: "unproven"; readonly why: string };

/** Two who meet at a seat. */
export interface MeetingPlace {
  readonly socket: Socket;
  /** The seat's name without its folder. */
  readonly seat: string;
  readonly key: () => Promise<Buffer>;
  readonly clock: Clock;
}

const GONE: Meeting = { kind: "gone" };
const FALSE_PROOF = unproven("wrong-proof");

/** Who comes to a seat, and what it speaks. */
export interface Visitor {
  readonly side: GuestSide;
  readonly version: number;
}

const WINDOW: Visitor = { side: "guest", version: VERSION };

/**
 * Proves to whoever holds the seat that this is a window of the same person, or a program that it has started,
 * when that side has proven the same. The socket is paused afterwards, and destroyed unless the other side is
 * believed.
 */
export function meetKeeper(place: MeetingPlace, visitor: Visitor = WINDOW): Promise<Meeting> {
  const { side, version: spoken } = visitor;
  return inTime(place, async ({ socket, seat, key }) => {
    const known = await key();
    const guestNonce = newNonce();
    say(socket, { type: "hello", nonce: guestNonce });
    const said = await hear(socket, keeperProofSchema);
    if ("kind" in said) return said;
    const facts = { seat, guestNonce, keeperNonce: said.nonce };
    const expected = proofOf(known, { side: "keeper", version: said.version, ...facts });
    if (!isProof(said.proof, expected)) return FALSE_PROOF;
    const proof = proofOf(known, { side, version: spoken, ...facts });
    const as = side === "guest" ? undefined : side;
    say(socket, { type: "proof", version: spoken, proof, as });
    return { kind: "proven", version: said.version, side: "keeper" };
  });
}

/** The same for who holds the seat, towards whoever has come; it proves itself first. */
export function meetGuest(place: MeetingPlace): Promise<Meeting> {
  return inTime(place, async ({ socket, seat, key }) => {
    const hello = await hear(socket, helloSchema);
    if ("kind" in hello) return hello;
    const known = await key();
    const facts = { seat, guestNonce: hello.nonce, keeperNonce: newNonce() };
    const proof = proofOf(known, { side: "keeper", version: VERSION, ...facts });
    say(socket, { type: "proof", version: VERSION, nonce: facts.keeperNonce, proof });
    const said = await hear(socket, guestProofSchema);
    if ("kind" in said) return said;
    const side = said.as ?? "guest";
    const expected = proofOf(known, { side, version: said.version, ...facts });
    if (!isProof(said.proof, expected)) return FALSE_PROOF;
    return { kind: "proven", version: said.version, side };
  });
}

/** Ends what takes too long, and whatever proves nothing. */
async function inTime(
  place: MeetingPlace,
  meet: (place: MeetingPlace) => Promise<Meeting>,
): Promise<Meeting> {
  let isLate = false;
  const timer = place.clock.after(HANDSHAKE_MS, () => {
    isLate = true;
    place.socket.destroy();
  });
  const met = await meet(place).catch((error: unknown) => unproven(describeError(error)));
  timer.cancel();
  if (met.kind !== "proven") place.socket.destroy();
  return isLate ? unproven("late") : met;
}

async function hear<T extends { type: string }>(
  socket: Socket,
  schema: z.ZodType<T>,
): Promise<T | Meeting> {
  const line = await nextLine(socket);
  if (line === "gone") return GONE;
  const message = line === "long" ? undefined : parsed(line.toString(), schema);
  return message ?? unproven("nonsense");
}

function say(socket: Socket, message: object): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
}

function parsed<T>(line: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function unproven(why: string): Meeting {
  return { kind: "unproven", why };
}
