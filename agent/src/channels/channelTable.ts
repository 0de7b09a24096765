import type { ChannelDecision } from "@rport/protocol/wire/connection";
import { peerText } from "@rport/protocol/wire/wireError";
import type { Terminals } from "../terminal/terminals.ts";
import type { Dialer } from "../tunnels/dial.ts";
import type { ChannelType } from "./channelType.ts";
import { terminal } from "./terminal.ts";
import { tunnel } from "./tunnel.ts";

/** What the channels need. */
export interface ChannelTableDeps {
  readonly dialer: Dialer;
  readonly terminals: Terminals;
}

/** SSH_OPEN_UNKNOWN_CHANNEL_TYPE (RFC 4254 5.1). */
const UNKNOWN_TYPE = 3;
/** Longest part of an unknown type that goes into its refusal. */
const SHOWN_CHARACTERS = 40;

/** All types of channels that a server may open at this agent. */
export class ChannelTable {
  readonly #types: ReadonlyMap<string, ChannelType>;

  constructor({ dialer, terminals }: ChannelTableDeps) {
    const types = [tunnel(dialer), terminal(terminals)];
    this.#types = new Map(types.map((one) => [one.type, one]));
  }

  /** Decides about a channel; `extra` is what the server said with the opening. */
  decide(type: string, extra: Buffer): ChannelDecision | Promise<ChannelDecision> {
    const known = this.#types.get(type);
    if (known === undefined) {
      const shown = peerText(type).slice(0, SHOWN_CHARACTERS);
      const refuse = `this agent has no channels of the type ${JSON.stringify(shown)}`;
      return { refuse, code: UNKNOWN_TYPE };
    }
    if (extra.length > known.maxExtraBytes) return { refuse: "the channel says too much" };
    return known.decide(extra);
  }
}
