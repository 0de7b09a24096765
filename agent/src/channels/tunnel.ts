import { TUNNEL_CHANNEL } from "@rport/protocol/agent";
import type { Dialer } from "../tunnels/dial.ts";
import type { ChannelType } from "./channelType.ts";

/**
 * One connection through a tunnel, to the target it names. A host name has at most 255 characters.
 */
export function tunnel(dialer: Dialer): ChannelType {
  return {
    type: TUNNEL_CHANNEL,
    maxExtraBytes: 300,
    decide: (extra) => dialer.decide(extra),
  };
}
