import type { Channel } from "./channel.ts";

/** The answer to a peer that opens a channel. */
export type ChannelDecision =
  | {
      /** Called with the channel after it was confirmed. */
      readonly accept: (channel: Channel) => void;
    }
  | {
      /** The text the peer gets with its refusal. */
      readonly refuse: string;
      /** The code of RFC 4254 5.1 it gets; 1 (prohibited) unless another is said. */
      readonly code?: number;
    };
