import type { Duplex } from "node:stream";
import { TUNNEL_CHANNEL } from "@rport/protocol/agent";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { type HostOpening, TERMINAL_CHANNEL } from "@rport/protocol/terminal/terminal";
import type { Connection } from "@rport/protocol/wire/connection";
import { toJsonPayload } from "@rport/protocol/wire/jsonPayload";
import { WireError } from "@rport/protocol/wire/wireError";
import type { AgentEvents } from "../../audit/agentEvents.ts";
import type { LimitName } from "../../limits/limitTable.ts";
import { SharedPlaces } from "../../limits/sharedPlaces.ts";
import { NOBODY, type Sharer } from "../../limits/sharer.ts";
import type { ClientRegistry } from "../registry/registry.ts";
import { factsOf, type NamedSession, namesOf } from "./agentFacts.ts";
import type { SessionDeps } from "./sessionDeps.ts";

/** Over what channels are opened, and who is told when there may be no more. */
export interface ChannelOpener {
  readonly session: NamedSession;
  readonly connection: Pick<Connection, "open" | "transport">;
  readonly deps: Pick<SessionDeps, "limits"> & {
    readonly agentEvents: Pick<AgentEvents, "tunnelsFull">;
    readonly registry: Pick<ClientRegistry, "record">;
  };
}

/** What a channel leads to: a target of a tunnel, or a terminal. */
export type ChannelGoal = HostPort | HostOpening;

/**
 * The channels of one agent's connection, for tunnels and terminals, each of which is of some user's share. One
 * that is refused because there are as many as may be, or the user has as many as they may, is
 * counted, logged and in the audit log, as often as those do.
 */
export class TunnelChannels {
  readonly #opener: ChannelOpener;
  readonly #places: SharedPlaces<object>;

  constructor(opener: ChannelOpener) {
    this.#opener = opener;
    const { limits } = opener.deps;
    const names = () => namesOf(opener.session);
    this.#places = new SharedPlaces({ limits, limit: "channels_per_agent", names });
  }

  /**
   * Opens one at the agent's side; undefined: for nobody. Rejects with a `WireError`, and
   * as `SharedPlaces.requireShare`.
   */
  async open(to: ChannelGoal, user: Sharer = NOBODY): Promise<Duplex> {
    this.#requireShare(user);
    const place = {};
    this.#places.take(place, user);
    try {
      const { type, extra } = openingOf(to);
      const channel = await this.#opener.connection.open(type, extra);
      // Its end may have come in the same bytes as its confirmation.
      if (channel.destroyed) this.#places.leave(place);
      else channel.once("close", () => this.#places.leave(place));
      return channel;
    } catch (caught) {
      this.#places.leave(place);
      if (caught instanceof WireError && caught.kind === "limit") this.#tellFull();
      throw caught;
    }
  }

  #requireShare(user: Sharer): void {
    try {
      this.#places.requireShare(user);
    } catch (error) {
      this.#note("channels_per_agent", user);
      throw error;
    }
  }

  #tellFull(): void {
    const { session, connection, deps } = this.#opener;
    const { isProcessFull } = connection.transport.held;
    const limit = isProcessFull ? "held_bytes" : "channels_per_agent";
    deps.limits.bite(limit, namesOf(session));
    this.#note(limit);
  }

  #note(limit: LimitName, user?: Sharer): void {
    const { session, deps } = this.#opener;
    const { limits, agentEvents, registry } = deps;
    const met = { limit, max: limits.max(limit), user: user?.name };
    agentEvents.tunnelsFull(factsOf(session, registry), met);
  }
}

/** What is said to the agent with a channel's opening. */
function openingOf(to: ChannelGoal): { readonly type: string; readonly extra: Buffer } {
  if ("wish" in to) return { type: TERMINAL_CHANNEL, extra: toJsonPayload(to) };
  return { type: TUNNEL_CHANNEL, extra: Buffer.from(formatHostPort(to), "latin1") };
}
