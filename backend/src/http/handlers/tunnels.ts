import type { EndpointInput } from "@rport/protocol/http";
import type { ClientId, TunnelId } from "@rport/protocol/ids";
import type { Tunnel } from "@rport/protocol/model";
import type { Handlers } from "../endpoints.ts";

/** What the handlers of tunnels need. */
export interface TunnelHandlerDeps {
  list(): readonly Tunnel[];
  create(
    clientId: ClientId,
    query: EndpointInput<"createTunnel">["query"],
    owner: string,
  ): Promise<Tunnel>;
  /** Without `force`, a tunnel in use stays and `CONFLICT` is thrown. */
  remove(clientId: ClientId, tunnelId: TunnelId, force: boolean): Promise<void>;
}

/** Serves tunnels whose listeners are on the server. */
export function tunnelHandlers(
  source: TunnelHandlerDeps,
): Pick<Handlers, "listTunnels" | "createTunnel" | "deleteTunnel"> {
  return {
    listTunnels() {
      const tunnels = source.list();
      return { data: [...tunnels], count: tunnels.length };
    },
    createTunnel: async ({ params, query }, { user }) => ({
      data: await source.create(params.clientId, query, user),
    }),
    async deleteTunnel({ params, query }) {
      await source.remove(params.clientId, params.tunnelId, query.force ?? false);
      return undefined;
    },
  };
}
