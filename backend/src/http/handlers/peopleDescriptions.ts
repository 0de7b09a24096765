import type { EndpointInput } from "@rport/protocol/http";
import type { Facts } from "../../audit/facts.ts";
import type { ChangeDescriptions } from "./changeDescription.ts";

const session = { application: "auth.api.session" } as const;
const token = { application: "auth.user.me.token" } as const;
const totp = { application: "auth.user.totp" } as const;
const user = { application: "auth.user" } as const;

/** The entries of changes by users about themselves. Sign-ins have entries of their own. */
export const ME_DESCRIPTIONS = {
  login: () => undefined,
  verifySecondFactor: () => undefined,
  logout: () => ({ ...session, action: "delete" }),
  acceptInvitation: ({ body }) => ({
    application: "auth.user.invitation",
    action: "accept",
    affectedId: body.username,
  }),
  updateMe: ({ body }) => ({
    application: "auth.user.me",
    action: "update",
    request: {
      username: body.username,
      password: body.password === undefined ? undefined : "changed",
      display_name: body.display_name,
    },
  }),
  createToken: ({ body }, data) => ({
    ...token,
    action: "create",
    affectedId: data?.prefix,
    request: { name: body.name, scope: body.scope, expires_at: data?.expires_at },
  }),
  updateToken: ({ params, body }) => ({
    ...token,
    action: "update",
    affectedId: params.prefix,
    request: { name: body.name, expires_at: body.expires_at },
  }),
  deleteToken: ({ params }) => ({ ...token, action: "delete", affectedId: params.prefix }),
  createTotpSecret: () => ({ ...totp, action: "create" }),
  confirmTotp: () => ({ ...totp, action: "enable" }),
  deleteTotpSecret: () => ({ ...totp, action: "delete" }),
} satisfies Partial<ChangeDescriptions>;

/** The entries of changes of users, groups and invitations. */
export const USER_DESCRIPTIONS = {
  createUser: ({ body }) => ({
    ...user,
    action: "create",
    affectedId: body.username,
    request: {
      groups: body.groups,
      display_name: body.display_name,
      password_expired: body.password_expired,
    },
  }),
  updateUser: ({ params, body }) => ({
    ...user,
    action: "update",
    affectedId: params.userName,
    request: {
      username: body.username,
      password: body.password === undefined ? undefined : "changed",
      groups: body.groups,
      display_name: body.display_name,
      password_expired: body.password_expired,
    },
  }),
  deleteUser: ({ params }) => ({ ...user, action: "delete", affectedId: params.userName }),
  disableUser: ({ params, query }, data) =>
    query.dry_run === true
      ? undefined
      : {
          ...user,
          action: "disable",
          affectedId: params.userName,
          response: {
            tokens: data?.tokens,
            sessions: data?.sessions,
            sockets: data?.sockets,
            editor_connections: data?.editor_connections,
            pairings: data?.pairings,
            invitations: data?.invitations,
          },
        },
  enableUser: ({ params }) => ({ ...user, action: "enable", affectedId: params.userName }),
  deleteUserTotp: ({ params }) => ({ ...totp, action: "delete", affectedId: params.userName }),
  deleteSessions: ({ params }) => ({
    application: "auth.api.sessions",
    action: "delete",
    affectedId: params.userName,
  }),
  deleteSession: ({ params }) => ({
    ...session,
    action: "delete",
    affectedId: params.userName,
    request: { session_id: params.sessionId },
  }),
  createUserToken: ({ params, body }, data) => ({
    ...token,
    action: "create",
    affectedId: data?.prefix,
    request: {
      username: params.userName,
      name: body.name,
      scope: body.scope,
      expires_at: data?.expires_at,
    },
  }),
  deleteUserToken: ({ params }) => ({
    ...token,
    action: "delete",
    affectedId: params.prefix,
    request: { username: params.userName },
  }),
  putUserGroup: ({ params, body }) => ({
    application: "auth.user.group",
    action: "update",
    affectedId: params.groupName,
    request: body.permissions,
  }),
  deleteUserGroup: ({ params }) => ({
    application: "auth.user.group",
    action: "delete",
    affectedId: params.groupName,
  }),
  createInvitation: ({ body }, data) => ({
    application: "auth.user.invitation",
    action: "create",
    affectedId: data?.id,
    request: { groups: body.groups, display_name: body.display_name },
  }),
  deleteInvitation: ({ params }) => ({
    application: "auth.user.invitation",
    action: "delete",
    affectedId: params.invitationId,
  }),
} satisfies Partial<ChangeDescriptions>;

function groupFacts(body: EndpointInput<"putClientGroup">["body"]): Facts {
  const { params, allowed_user_groups, record_terminals } = body;
  return { params: JSON.stringify(params), allowed_user_groups, record_terminals };
}

/** The entries of changes of who sees which clients. */
export const ACCESS_DESCRIPTIONS = {
  setClientAcl: ({ params, body }) => ({
    application: "client.acl",
    action: "update",
    affectedId: params.clientId,
    request: { allowed_user_groups: body.allowed_user_groups },
  }),
  createClientGroup: ({ body }) => ({
    application: "client.group",
    action: "create",
    affectedId: body.id,
    request: groupFacts(body),
  }),
  putClientGroup: ({ params, body }) => ({
    application: "client.group",
    action: "update",
    affectedId: params.clientGroupId,
    request: groupFacts(body),
  }),
  deleteClientGroup: ({ params }) => ({
    application: "client.group",
    action: "delete",
    affectedId: params.clientGroupId,
  }),
} satisfies Partial<ChangeDescriptions>;
