import type { EndpointInput } from "@rport/protocol/http";
import type { ClientId, TunnelId } from "@rport/protocol/ids";
import type { Tunnel } from "@rport/protocol/model";
import type { TunnelAsker } from "../../tunnels/request.ts";
import type { ClientAccess } from "../../users/clientAccess.ts";
import type { Handlers } from "../endpoints.ts";

/** What the handlers of tunnels need. */
export interface TunnelHandlerDeps {
  readonly access: ClientAccess;
  list(): readonly Tunnel[];
  create(
    clientId: ClientId,
    query: EndpointInput<"createTunnel">["query"],
    asker: TunnelAsker,
  ): Promise<Tunnel>;
  /** Without `force`, a tunnel in use stays and `CONFLICT` is thrown. */
  remove(clientId: ClientId, tunnelId: TunnelId, force: boolean): Promise<void>;
}

/** Serves tunnels whose listeners are on the server. */
export function tunnelHandlers(
  source: TunnelHandlerDeps,
): Pick<Handlers, "listTunnels" | "createTunnel" | "deleteTunnel"> {
  return {
    listTunnels(_input, { actor }) {
      const { access } = source;
      const seen = source.list().filter(({ client_id: id }) => access.maySee(actor, id));
      return { data: seen, count: seen.length };
    },
    createTunnel: async ({ params, query }, { user: owner, requireRight }) => ({
      data: await source.create(params.clientId, query, { owner, requireRight }),
    }),
    async deleteTunnel({ params, query }) {
      await source.remove(params.clientId, params.tunnelId, query.force ?? false);
      return undefined;
    },
  };
}
