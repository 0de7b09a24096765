import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { clientParams, endpoint, listQuery, none } from "../endpointEntry.ts";
import { clientGroupIdSchema, clientGroupInputSchema, clientGroupSchema } from "./clientGroup.ts";
import { groupListSchema } from "./user.ts";

const groupParams = z.object({ clientGroupId: clientGroupIdSchema });

/** Endpoints that say who sees which clients. */
export const ACCESS_ENDPOINTS = {
  /** The groups of users who see the client, beside administrators; the whole list each time. */
  setClientAcl: endpoint({
    method: "POST",
    path: "/clients/:clientId/acl",
    right: "administrator",
    params: clientParams,
    query: none,
    body: z.strictObject({ allowed_user_groups: groupListSchema }),
    output: undefined,
    status: 204,
  }),
  listClientGroups: endpoint({
    method: "GET",
    path: "/client-groups",
    right: "user",
    params: none,
    query: listQuery,
    body: undefined,
    output: listOf(z.record(z.string(), z.unknown())),
    status: 200,
  }),
  getClientGroup: endpoint({
    method: "GET",
    path: "/client-groups/:clientGroupId",
    right: "user",
    params: groupParams,
    query: listQuery,
    body: undefined,
    output: clientGroupSchema,
    status: 200,
  }),
  createClientGroup: endpoint({
    method: "POST",
    path: "/client-groups",
    right: "administrator",
    params: none,
    query: none,
    body: clientGroupInputSchema,
    output: undefined,
    status: 201,
  }),
  /** Makes the group when there is none. */
  putClientGroup: endpoint({
    method: "PUT",
    path: "/client-groups/:clientGroupId",
    right: "administrator",
    params: groupParams,
    query: none,
    body: clientGroupInputSchema,
    output: undefined,
    status: 204,
  }),
  deleteClientGroup: endpoint({
    method: "DELETE",
    path: "/client-groups/:clientGroupId",
    right: "administrator",
    params: groupParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
} as const;
