import { RportError } from "@rport/protocol/errors";
import type { EndpointInput } from "@rport/protocol/http";
import type { ClientId, TunnelId } from "@rport/protocol/ids";
import type { Tunnel } from "@rport/protocol/model";
import { requireHostPort } from "@rport/protocol/remote";
import type { TunnelTraffic } from "@rport/protocol/tunnels/traffic";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { Listening } from "../../tunnels/listening.ts";
import type { Probe } from "../../tunnels/probe.ts";
import type { TunnelAsker } from "../../tunnels/request.ts";
import type { ClientAccess } from "../../users/clientAccess.ts";
import type { Handlers } from "../endpoints.ts";

/** What the handlers of tunnels need. */
export interface TunnelHandlerDeps {
  readonly access: ClientAccess;
  readonly searches: Pick<ListSearches, "all">;
  /** All of them, each when it is asked for. */
  all(): Iterable<Tunnel>;
  create(
    clientId: ClientId,
    query: EndpointInput<"createTunnel">["query"],
    asker: TunnelAsker,
  ): Promise<Tunnel>;
  /** Without `force`, a tunnel in use stays and `CONFLICT` is thrown. */
  remove(clientId: ClientId, tunnelId: TunnelId, force: boolean): Promise<void>;
  /** What went through an open tunnel; undefined for others. */
  trafficOf(clientId: ClientId, tunnelId: TunnelId): TunnelTraffic | undefined;
  readonly listening: Listening;
  readonly probe: Probe;
}

/** Handlers of tunnels, and of what they lead to. */
export type TunnelHandlers = Pick<
  Handlers,
  | "listTunnels"
  | "createTunnel"
  | "deleteTunnel"
  | "getTunnelTraffic"
  | "listListening"
  | "tryTarget"
>;

/** Serves tunnels whose listeners are on the server. */
export function tunnelHandlers(source: TunnelHandlerDeps): TunnelHandlers {
  return {
    listTunnels(_input, { actor }) {
      const { access, searches } = source;
      const row = (tunnel: Tunnel) => (access.maySee(actor, tunnel.client_id) ? tunnel : undefined);
      return searches.all(actor, () => source.all(), row);
    },
    createTunnel: async ({ params, query }, { actor, user: owner, requireRight }) => ({
      data: await source.create(params.clientId, query, {
        owner,
        accountId: actor.accountId,
        requireRight,
      }),
    }),
    async deleteTunnel({ params, query }) {
      await source.remove(params.clientId, params.tunnelId, query.force ?? false);
      return undefined;
    },
    getTunnelTraffic({ params }) {
      const data = source.trafficOf(params.clientId, params.tunnelId);
      if (data === undefined) throw new RportError("NOT_FOUND", "There is no such open tunnel.");
      return { data };
    },
    async listListening({ params }, { actor, requireRight }) {
      return { data: await source.listening(params.clientId, actor, requireRight) };
    },
    async tryTarget({ params, body }, { actor, address, requireRight }) {
      const target = requireHostPort(body.remote, "remote");
      await source.probe(params.clientId, target, { user: actor, address, requireRight });
      return undefined;
    },
  };
}
