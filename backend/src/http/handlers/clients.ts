import type { AttributesChange } from "@rport/protocol/attributes";
import { RportError } from "@rport/protocol/errors";
import type { EndpointOutput } from "@rport/protocol/http";
import type { ClientId } from "@rport/protocol/ids";
import type { Client, Tunnel } from "@rport/protocol/model";
import type { DeletionReport } from "@rport/protocol/report";
import { shownClient } from "../../access/groupAccess.ts";
import { fieldsOfItem, pickFields } from "../../lists/listQuery.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { Actor } from "../../users/actor.ts";
import type { ClientAccess } from "../../users/clientAccess.ts";
import type { Handlers } from "../endpoints.ts";
import { clientList } from "./clientList.ts";

/** What the handlers of clients need. */
export interface ClientHandlerDeps {
  readonly access: ClientAccess;
  readonly searches: Pick<ListSearches, "run">;
  /** The clients for which `sees` holds, each when it is asked for. */
  list(sees: (id: ClientId) => boolean): Iterable<Client>;
  get(id: ClientId): Client | undefined;
  /** Removes the record of a client that is neither connected nor revoked, and what belongs to it. */
  remove(id: ClientId): Promise<DeletionReport>;
  previewRemoval(id: ClientId): DeletionReport;
  revoke(id: ClientId): Promise<DeletionReport>;
  previewRevocation(id: ClientId): DeletionReport;
  allow(id: ClientId): Promise<void>;
  /** See `ClientRegistry.give`. */
  give(id: ClientId, change: AttributesChange): Promise<void>;
  /** The record `from` goes into that of `id`. */
  adopt(id: ClientId, from: ClientId, requireRight: () => void): Promise<void>;
  tunnelsOf(id: ClientId): readonly Tunnel[];
}

type ClientEndpoint =
  | "listClients"
  | "getClient"
  | "deleteClient"
  | "revokeClient"
  | "allowClient"
  | "getClientAttributes"
  | "setClientAttributes"
  | "adoptClient";

/** Serves `/clients` as RPort does. */
export function clientHandlers(source: ClientHandlerDeps): Pick<Handlers, ClientEndpoint> {
  const withTunnels = (client: Client): Client & { tunnels: Tunnel[] } => ({
    ...client,
    tunnels: [...source.tunnelsOf(client.id)],
  });
  const seesOf = (actor: Actor) => (id: ClientId) => source.access.maySee(actor, id);
  const require = (id: ClientId): Client => {
    const client = source.get(id);
    if (client === undefined) throw new RportError("NOT_FOUND", "There is no such client.");
    return client;
  };
  return {
    listClients({ query }, { actor }) {
      const sees = seesOf(actor);
      const row = (client: Client, fields: readonly string[]) => {
        const full = fields.includes("tunnels") ? withTunnels(client) : client;
        return pickFields(shownClient(full, sees), fields, clientList);
      };
      const listing = { items: source.list(sees), query, spec: clientList, row };
      return source.searches.run(actor, listing);
    },
    getClient({ params, query }, { actor }) {
      const client = withTunnels(shownClient(require(params.clientId), seesOf(actor)));
      const fields = fieldsOfItem(query, clientList);
      if (fields === undefined) return { data: client };
      // `fields` asks for less than the contract's whole record.
      return { data: pickFields(client, fields, clientList) as EndpointOutput<"getClient"> };
    },
    async deleteClient({ params, query }) {
      require(params.clientId);
      const { clientId } = params;
      const data = query.dry_run ? source.previewRemoval(clientId) : source.remove(clientId);
      return { data: await data };
    },
    async revokeClient({ params: { clientId }, query }) {
      const data = query.dry_run ? source.previewRevocation(clientId) : source.revoke(clientId);
      return { data: await data };
    },
    async allowClient({ params }) {
      await source.allow(params.clientId);
      return undefined;
    },
    async getClientAttributes({ params }) {
      const { tags, labels } = require(params.clientId);
      return { data: { tags, labels } };
    },
    async setClientAttributes({ params, body }) {
      await source.give(params.clientId, body);
      return { data: "ok" };
    },
    async adoptClient({ params, body }, { requireRight }) {
      if (body.from === params.clientId) {
        const title = "A client cannot take over its own record.";
        throw new RportError("ERR_CODE_INVALID_REQUEST", title);
      }
      await source.adopt(params.clientId, body.from, requireRight);
      return { data: require(params.clientId) };
    },
  };
}
