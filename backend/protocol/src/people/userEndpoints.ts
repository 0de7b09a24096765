import { z } from "zod";
import { listOf } from "../asking/untilFault.ts";
import { dryRun, endpoint, none } from "../endpointEntry.ts";
import { line } from "../texts.ts";
import { invitationIdSchema, invitationSchema, newInvitationSchema } from "./invitation.ts";
import { permissionsSchema } from "./right.ts";
import { passwordText } from "./signInEndpoints.ts";
import {
  newTokenInputSchema,
  newTokenSchema,
  sessionSchema,
  tokenPrefixSchema,
  tokenSchema,
} from "./token.ts";
import {
  endedSchema,
  groupListSchema,
  groupNameSchema,
  knownSecretSchema,
  userGroupSchema,
  userNameSchema,
  userSchema,
} from "./user.ts";

const userParams = z.object({ userName: userNameSchema });
const groupParams = z.object({ groupName: groupNameSchema });
const displayName = z.string().max(200);

/** Endpoints of users, their groups and invitations: for administrators. */
export const USER_ENDPOINTS = {
  listUsers: endpoint({
    method: "GET",
    path: "/users",
    right: "administrator",
    params: none,
    query: none,
    body: undefined,
    output: listOf(userSchema),
    status: 200,
  }),
  createUser: endpoint({
    method: "POST",
    path: "/users",
    right: "administrator",
    params: none,
    query: none,
    body: z.strictObject({
      username: userNameSchema,
      password: passwordText,
      groups: groupListSchema.default([]),
      password_expired: z.boolean().default(false),
      two_fa_send_to: line.default(""),
      display_name: displayName.default(""),
    }),
    output: undefined,
    status: 201,
  }),
  /** What is absent stays; a new password ends the user's sessions, and so does an expired one. */
  updateUser: endpoint({
    method: "PUT",
    path: "/users/:userName",
    right: "administrator",
    params: userParams,
    query: none,
    body: z.strictObject({
      username: userNameSchema.optional(),
      password: passwordText.optional(),
      groups: groupListSchema.optional(),
      password_expired: z.boolean().optional(),
      two_fa_send_to: line.optional(),
      display_name: displayName.optional(),
    }),
    output: undefined,
    status: 204,
  }),
  deleteUser: endpoint({
    method: "DELETE",
    path: "/users/:userName",
    right: "administrator",
    params: userParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** Nothing of the user works any more, and what is open in the user's name ends. */
  disableUser: endpoint({
    method: "POST",
    path: "/users/:userName/disable",
    right: "administrator",
    params: userParams,
    query: dryRun,
    body: undefined,
    output: endedSchema,
    status: 200,
  }),
  /** The password works again. Tokens and sessions that ended do not come back. */
  enableUser: endpoint({
    method: "DELETE",
    path: "/users/:userName/disable",
    right: "administrator",
    params: userParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  /** Secrets that still work and whose values the user typed, or was shown. */
  listKnownSecrets: endpoint({
    method: "GET",
    path: "/users/:userName/known-secrets",
    right: "administrator",
    params: userParams,
    query: none,
    body: undefined,
    output: listOf(knownSecretSchema),
    status: 200,
  }),
  deleteUserTotp: endpoint({
    method: "DELETE",
    path: "/users/:userName/totp-secret",
    right: "administrator",
    params: userParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  listSessions: endpoint({
    method: "GET",
    path: "/users/:userName/sessions",
    right: "administrator",
    params: userParams,
    query: none,
    body: undefined,
    output: listOf(sessionSchema),
    status: 200,
  }),
  deleteSessions: endpoint({
    method: "DELETE",
    path: "/users/:userName/sessions",
    right: "administrator",
    params: userParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  deleteSession: endpoint({
    method: "DELETE",
    path: "/users/:userName/sessions/:sessionId",
    right: "administrator",
    params: userParams.extend({
      sessionId: z
        .string()
        .regex(/^[1-9][0-9]{0,14}$/, "is no id of a session")
        .transform(Number),
    }),
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  listUserTokens: endpoint({
    method: "GET",
    path: "/users/:userName/tokens",
    right: "administrator",
    params: userParams,
    query: none,
    body: undefined,
    output: listOf(tokenSchema),
    status: 200,
  }),
  /**
   * A token in the name of another user: only for the person of local mode, on the backend's own
   * machine. Nobody acts in another's name from elsewhere.
   */
  createUserToken: endpoint({
    method: "POST",
    path: "/users/:userName/tokens",
    right: "administrator",
    params: userParams,
    query: none,
    body: newTokenInputSchema,
    output: newTokenSchema,
    status: 200,
  }),
  deleteUserToken: endpoint({
    method: "DELETE",
    path: "/users/:userName/tokens/:prefix",
    right: "administrator",
    params: userParams.extend({ prefix: tokenPrefixSchema }),
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  listUserGroups: endpoint({
    method: "GET",
    path: "/user-groups",
    right: "administrator",
    params: none,
    query: none,
    body: undefined,
    output: listOf(userGroupSchema),
    status: 200,
  }),
  getUserGroup: endpoint({
    method: "GET",
    path: "/user-groups/:groupName",
    right: "administrator",
    params: groupParams,
    query: none,
    body: undefined,
    output: userGroupSchema,
    status: 200,
  }),
  /** Makes the group when there is none; permissions that are not named are not given. */
  putUserGroup: endpoint({
    method: "PUT",
    path: "/user-groups/:groupName",
    right: "administrator",
    params: groupParams,
    query: none,
    body: z.strictObject({ permissions: permissionsSchema }),
    output: userGroupSchema,
    status: 200,
  }),
  deleteUserGroup: endpoint({
    method: "DELETE",
    path: "/user-groups/:groupName",
    right: "administrator",
    params: groupParams,
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
  listInvitations: endpoint({
    method: "GET",
    path: "/invitations",
    right: "administrator",
    params: none,
    query: none,
    body: undefined,
    output: listOf(invitationSchema),
    status: 200,
  }),
  createInvitation: endpoint({
    method: "POST",
    path: "/invitations",
    right: "administrator",
    params: none,
    query: none,
    body: z.strictObject({
      groups: groupListSchema.default([]),
      display_name: displayName.default(""),
    }),
    output: newInvitationSchema,
    status: 201,
  }),
  deleteInvitation: endpoint({
    method: "DELETE",
    path: "/invitations/:invitationId",
    right: "administrator",
    params: z.object({ invitationId: invitationIdSchema }),
    query: none,
    body: undefined,
    output: undefined,
    status: 204,
  }),
} as const;
