import { RportError } from "@rport/protocol/errors";
import type { EndpointOutput } from "@rport/protocol/http";
import type { ClientId } from "@rport/protocol/ids";
import type { ACCESS_ENDPOINTS } from "@rport/protocol/people/accessEndpoints";
import {
  type ClientGroupId,
  type ClientGroupParams,
  clientGroupParamsSchema,
} from "@rport/protocol/people/clientGroup";
import type { ClientGrants } from "../../access/clientGrants.ts";
import type { ClientGroups } from "../../access/clientGroups.ts";
import type { GroupableClient } from "../../access/groupFit.ts";
import { seenParams } from "../../access/seenParams.ts";
import { ItemTexts } from "../../lists/itemTexts.ts";
import { fieldsOfItem, pickFields } from "../../lists/listQuery.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { ListSpec } from "../../lists/listSpec.ts";
import type { ClientGroupRecord } from "../../store/records/clientGroupRecord.ts";
import type { ClientRecord } from "../../store/records/clientRecord.ts";
import type { Actor } from "../../users/actor.ts";
import type { ClientAccess } from "../../users/clientAccess.ts";
import type { Handlers } from "../endpoints.ts";

/** What the handlers of who sees which clients need. */
export interface AccessHandlerDeps {
  readonly searches: Pick<ListSearches, "run">;
  readonly groups: ClientGroups;
  readonly grants: Pick<ClientGrants, "membersOf">;
  readonly access: ClientAccess;
  readonly isConnected: (id: ClientId) => boolean;
  readonly recordOf: (id: ClientId) => ClientRecord | undefined;
}

/** A group of clients, and those in it that somebody may see. */
interface SeenGroup extends ClientGroupRecord {
  readonly members: () => readonly ClientId[];
  readonly connected: () => number;
  /** Its parameters, without names of hosts that whoever asks may not see. */
  readonly seenParams: () => ClientGroupParams;
}

const PARAMETERS = Object.keys(clientGroupParamsSchema.shape) as (keyof ClientGroupParams)[];

/** RPort's columns and fields. */
const groupList: ListSpec<SeenGroup> = {
  resource: "client_groups",
  filters: { id: ({ id }) => id, description: ({ description }) => description },
  times: [],
  order: ({ id }) => id,
  sorts: { id: ({ id }) => id, description: ({ description }) => description },
  fields: {
    id: ({ id }) => id,
    description: ({ description }) => description,
    params: ({ seenParams }) => shownParams(seenParams()),
    allowed_user_groups: ({ allowed_user_groups: groups }) => groups,
    client_ids: ({ members }) => members(),
    num_clients: ({ members }) => members().length,
    num_clients_connected: ({ connected }) => connected(),
  },
  defaultFields: ["id", "description"],
};

/** Serves `/client-groups` and the list of who may see a client, as RPort does. */
export function accessHandlers(
  deps: AccessHandlerDeps,
): Pick<Handlers, keyof typeof ACCESS_ENDPOINTS> {
  const { groups } = deps;
  return {
    async setClientAcl({ params, body }) {
      await groups.setAcl(params.clientId, body.allowed_user_groups);
      return undefined;
    },
    listClientGroups({ query }, { actor, user }) {
      const row = (group: SeenGroup, fields: readonly string[]) =>
        pickFields(group, fields, groupList);
      const listing = { items: seenGroups(actor, deps), query, spec: groupList, row };
      return deps.searches.run(user, listing);
    },
    getClientGroup({ params, query }, { actor }) {
      const id = params.clientGroupId;
      const record = sees(actor, id, deps) ? groups.get(id) : undefined;
      const fields = fieldsOfItem(query, groupList) ?? Object.keys(groupList.fields);
      if (record === undefined) throw noSuchGroup();
      const data = pickFields(seenGroup(record, actor, deps), fields, groupList);
      // `fields` may ask for less than the contract's whole group.
      return { data: data as EndpointOutput<"getClientGroup"> };
    },
    async createClientGroup({ body }) {
      await groups.create(body);
      return undefined;
    },
    async putClientGroup({ params, body }) {
      if (params.clientGroupId !== body.id) {
        throw new RportError("BAD_REQUEST", "The id in the path is not the one in the body.");
      }
      await groups.put(body);
      return undefined;
    },
    async deleteClientGroup({ params }) {
      await groups.remove(params.clientGroupId);
      return undefined;
    },
  };
}

/** Others than administrators see groups of whose clients they see some, as in RPort. */
function sees(actor: Actor, id: ClientGroupId, { grants, access }: AccessHandlerDeps): boolean {
  if (actor.isAdministrator) return true;
  for (const client of grants.membersOf(id)) if (access.maySee(actor, client)) return true;
  return false;
}

/** Each when it is asked for: for every group, its clients are looked at until one is seen. */
function* seenGroups(actor: Actor, deps: AccessHandlerDeps): Generator<SeenGroup> {
  for (const record of deps.groups.list()) {
    if (sees(actor, record.id, deps)) yield seenGroup(record, actor, deps);
  }
}

function seenGroup(
  record: ClientGroupRecord,
  actor: Actor,
  { grants, access, isConnected, recordOf }: AccessHandlerDeps,
): SeenGroup {
  let known: readonly ClientId[] | undefined;
  const members = () => {
    known ??= [...grants.membersOf(record.id)].filter((id) => access.maySee(actor, id)).sort();
    return known;
  };
  const textsOf = (id: ClientId): readonly ItemTexts<GroupableClient>[] => {
    const client = recordOf(id);
    return client === undefined
      ? []
      : [new ItemTexts<GroupableClient>({ record: client, isConnected: false })];
  };
  return {
    ...record,
    members,
    connected: () => members().filter(isConnected).length,
    seenParams: () =>
      actor.isAdministrator ? record.params : seenParams(record.params, members().flatMap(textsOf)),
  };
}

/** Every parameter, as in RPort: null where none is given. */
function shownParams(params: ClientGroupParams): Record<string, unknown> {
  return Object.fromEntries(PARAMETERS.map((name) => [name, params[name] ?? null]));
}

function noSuchGroup(): RportError {
  return new RportError("NOT_FOUND", "There is no such group of clients.");
}
