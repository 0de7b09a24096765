import { createHmac } from "node:crypto";

/** Who comes to a seat: another window, or a program that carries one connection. */
export type GuestSide = "guest" | "bridge";

/** What a proof speaks of; it is good for nothing else. */
export interface ProofFacts {
  /** Whose proof it is, so that none can be sent back to its maker. */
  readonly side: GuestSide | "keeper";
  /** What its maker speaks, of `VERSION`. */
  readonly version: number;
  /** The seat's name without its folder, so that none is of use at another seat. */
  readonly seat: string;
  /** Both sides' numbers, which were never used before, so that none is good twice. */
  readonly guestNonce: string;
  readonly keeperNonce: string;
}

/** What only a window that has the key can say, in base64url. */
export function proofOf(key: Buffer, facts: ProofFacts): string {
  const { side, version, seat, guestNonce, keeperNonce } = facts;
  const said = ["rport-windows-proof", side, version, seat, guestNonce, keeperNonce];
  return createHmac("sha256", key).update(JSON.stringify(said)).digest("base64url");
}
