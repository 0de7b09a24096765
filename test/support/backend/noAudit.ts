import { Bursts } from "../../../backend/src/audit/bursts.ts";
import type { Audit } from "../../../backend/src/audit/entry.ts";
import { PairingEvents } from "../../../backend/src/audit/pairingEvents.ts";
import { FakeClock } from "../clock.ts";

/** Writes nothing down: for parts that are tested alone. */
export const noAudit: Audit = {
  record: () => Promise.resolve(),
  note: () => {},
  settled: () => Promise.resolve(),
  ready: () => Promise.resolve(),
};

/** The events of pairings, written nowhere. */
export function unheardPairingEvents(): PairingEvents {
  const bursts = new Bursts({ audit: noAudit, clock: new FakeClock() });
  return new PairingEvents({ audit: noAudit, bursts, shares: { of: () => noAudit } });
}
