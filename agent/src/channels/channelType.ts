import type { ChannelDecision } from "@rport/protocol/wire/connection";

/** One type of channel that the server may open. */
export interface ChannelType {
  readonly type: string;
  /** Most bytes that the server may say with the opening. */
  readonly maxExtraBytes: number;
  /** Decides by what the server said with it. */
  decide(extra: Buffer): ChannelDecision | Promise<ChannelDecision>;
}
