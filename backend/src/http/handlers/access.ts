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
import type { SeenParams } from "../../access/seenParams.ts";
import { fieldsOfItem, pickFields } from "../../lists/listQuery.ts";
import type { Each, ListSearches } from "../../lists/listSearches.ts";
import type { ListSpec } from "../../lists/listSpec.ts";
import type { ClientGroupRecord } from "../../store/records/clientGroupRecord.ts";
import type { Actor } from "../../users/actor.ts";
import type { ClientAccess } from "../../users/clientAccess.ts";
import type { Handlers } from "../endpoints.ts";

/** What the handlers of who sees which clients need. */
export interface AccessHandlerDeps {
  readonly searches: Pick<ListSearches, "run" | "work">;
  readonly groups: ClientGroups;
  readonly grants: Pick<ClientGrants, "membersOf">;
  readonly access: ClientAccess;
  readonly seenParams: Pick<SeenParams, "of">;
  readonly isConnected: (id: ClientId) => boolean;
}

/** A group of clients as somebody sees it, as far as it was asked for. */
interface SeenGroup {
  readonly record: ClientGroupRecord;
  /** Those in it that they may see. */
  readonly members: readonly ClientId[];
  readonly connected: number;
  /** Its parameters, without names of hosts that they may not see. */
  readonly params: ClientGroupParams;
}

const PARAMETERS = Object.keys(clientGroupParamsSchema.shape) as (keyof ClientGroupParams)[];

/** RPort's columns and fields. */
const groupList: ListSpec<SeenGroup> = {
  resource: "client_groups",
  filters: { id: ({ record }) => record.id, description: ({ record }) => record.description },
  times: [],
  order: ({ record }) => record.id,
  sorts: { id: ({ record }) => record.id, description: ({ record }) => record.description },
  fields: {
    id: ({ record }) => record.id,
    description: ({ record }) => record.description,
    params: ({ params }) => shownParams(params),
    allowed_user_groups: ({ record }) => record.allowed_user_groups,
    record_terminals: ({ record }) => record.record_terminals ?? false,
    client_ids: ({ members }) => members,
    num_clients: ({ members }) => members.length,
    num_clients_connected: ({ connected }) => connected,
  },
  defaultFields: ["id", "description"],
};
/** For these the members have to be known. */
const OF_MEMBERS: readonly string[] = ["client_ids", "num_clients", "num_clients_connected"];

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
    listClientGroups({ query }, { actor }) {
      const row = ({ record }: SeenGroup, fields: readonly string[], each: Each) =>
        shownGroup({ record, fields, actor, each }, deps);
      const listing = { items: seenGroups(actor, deps), query, spec: groupList, row };
      return deps.searches.run(actor, listing);
    },
    async getClientGroup({ params, query }, { actor }) {
      const id = params.clientGroupId;
      const fields = fieldsOfItem(query, groupList) ?? Object.keys(groupList.fields);
      const data = await deps.searches.work(actor, async (each) => {
        const record = sees(actor, id, deps) ? groups.get(id) : undefined;
        if (record === undefined) throw noSuchGroup();
        return await shownGroup({ record, fields, actor, each }, deps);
      });
      // `fields` may ask for less than the contract's whole group.
      return { data: data as EndpointOutput<"getClientGroup"> };
    },
    async createClientGroup({ body }, { requireRight }) {
      await groups.create(body, requireRight);
      return undefined;
    },
    async putClientGroup({ params, body }, { requireRight }) {
      if (params.clientGroupId !== body.id) {
        throw new RportError("BAD_REQUEST", "The id in the path is not the one in the body.");
      }
      await groups.put(body, requireRight);
      return undefined;
    },
    async deleteClientGroup({ params }, { requireRight }) {
      await groups.remove(params.clientGroupId, requireRight);
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
    if (sees(actor, record.id, deps)) yield { record, members: [], connected: 0, params: {} };
  }
}

/** Of which group somebody asked for what. */
interface GroupQuestion {
  readonly record: ClientGroupRecord;
  readonly fields: readonly string[];
  readonly actor: Actor;
  readonly each: Each;
}

/** What was asked for, found in slices: a group may have every client there is. */
async function shownGroup(
  question: GroupQuestion,
  { grants, access, isConnected, seenParams }: AccessHandlerDeps,
): Promise<Record<string, unknown>> {
  const { record, fields, actor, each } = question;
  let known: ClientId[] | undefined;
  const members = async (): Promise<readonly ClientId[]> => {
    if (known !== undefined) return known;
    const seen: ClientId[] = [];
    await each([...grants.membersOf(record.id)], (id) => {
      if (access.maySee(actor, id)) seen.push(id);
    });
    known = seen.sort();
    return known;
  };
  const ofMembers = fields.some((field) => OF_MEMBERS.includes(field)) ? await members() : [];
  let connected = 0;
  if (fields.includes("num_clients_connected")) {
    await each(ofMembers, (id) => {
      if (isConnected(id)) connected += 1;
    });
  }
  const hasParams = fields.includes("params");
  const params = hasParams ? await seenParams.of(question, members) : {};
  return pickFields({ record, members: ofMembers, connected, params }, fields, groupList);
}

/** Every parameter, as in RPort: null where none is given. */
function shownParams(params: ClientGroupParams): Record<string, unknown> {
  return Object.fromEntries(PARAMETERS.map((name) => [name, params[name] ?? null]));
}

function noSuchGroup(): RportError {
  return new RportError("NOT_FOUND", "There is no such group of clients.");
}
