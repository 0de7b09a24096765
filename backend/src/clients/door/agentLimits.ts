import { HeldBytes } from "@rport/protocol/wire/held";
import type { TransportLimits } from "@rport/protocol/wire/transport";
import { PACKET_SLACK_BYTES } from "@rport/protocol/wire/transport/transportDeps";
import type { Limits } from "../../limits/limits.ts";

/** The bytes that are held for all agents, counted against their limits. */
export function heldBytes(limits: Limits): HeldBytes {
  const held = new HeldBytes({
    max: limits.max("held_bytes"),
    perConnection: limits.max("held_bytes_per_agent"),
    onFull: () => limits.bite("held_bytes"),
    perPeer: limits.max("stalled_bytes_per_agent"),
    onStalled: () => limits.bite("stalled_bytes_per_agent"),
    perGroup: limits.max("held_bytes_per_credential"),
    onGroupFull: (credential) => limits.bite("held_bytes_per_credential", { credential }),
  });
  limits.watch("held_bytes", () => held.bytes);
  return held;
}

/**
 * What a connection of an agent allows, save what `given` says: whoever has signed in may send an
 * introduction, and larger messages when its client is in.
 */
export function transportLimits(
  limits: Limits,
  given: Partial<TransportLimits> = {},
): Partial<TransportLimits> {
  const packetAfterLogin = limits.max("first_message_bytes") + PACKET_SLACK_BYTES;
  return { packetAfterLogin, ...given };
}
