import { TERMINAL, TERMINAL_CHANNEL } from "@rport/protocol/terminal/terminal";
import type { Terminals } from "../terminal/terminals.ts";
import type { ChannelType } from "./channelType.ts";

/** One viewer of a terminal; also where there are none, so that whoever asks reads why. */
export function terminal(terminals: Terminals): ChannelType {
  return {
    type: TERMINAL_CHANNEL,
    maxExtraBytes: TERMINAL.openingBytes,
    decide: (extra) => terminals.decide(extra),
  };
}
