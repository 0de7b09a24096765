import type { Join } from "@rport/protocol/join";
import type { DeletionReport } from "@rport/protocol/report";
import type { Facts } from "../../audit/facts.ts";
import type { ChangeDescriptions, ChangeName } from "./changeDescription.ts";
import { ACCESS_DESCRIPTIONS, ME_DESCRIPTIONS, USER_DESCRIPTIONS } from "./peopleDescriptions.ts";

/**
 * Each change's entry; a missing one does not compile. Facts are named one by one, so that nothing
 * secret, and nothing that a later version of a message contains, gets in unseen.
 */
export const CHANGE_DESCRIPTIONS: ChangeDescriptions = {
  ...ME_DESCRIPTIONS,
  ...USER_DESCRIPTIONS,
  ...ACCESS_DESCRIPTIONS,
  deleteClient: ({ params, query }) =>
    query.dry_run === true
      ? undefined
      : { application: "client", action: "delete", affectedId: params.clientId },
  revokeClient: ({ params, query }, data) =>
    query.dry_run === true
      ? undefined
      : {
          application: "client",
          action: "revoke",
          affectedId: params.clientId,
          response: { disconnected: data?.disconnected },
        },
  allowClient: ({ params }) => ({
    application: "client",
    action: "allow",
    affectedId: params.clientId,
  }),
  setClientAttributes: ({ params, body }) => ({
    application: "client.attributes",
    action: "update",
    affectedId: params.clientId,
    request: {
      name: body.name,
      tags: body.tags,
      labels: body.labels === undefined ? undefined : JSON.stringify(body.labels),
    },
  }),
  adoptClient: ({ body }, data) => ({
    application: "client",
    action: "move",
    affectedId: body.from,
    response: { name: data?.name, tags: data?.tags },
  }),
  updateCredential: ({ params, body }) => ({
    application: "client.auth",
    action: "update",
    affectedId: params.authId,
    request: {
      label: body.label,
      kind: body.kind,
      max_clients: body.limits?.max_clients,
      expires_at: body.limits?.expires_at,
      cidrs: body.limits?.cidrs,
      joins_per_minute: body.limits?.joins_per_minute,
      approval: body.limits?.approval,
      agent_tunnels: body.limits?.agent_tunnels,
      agent_ports: body.limits?.agent_ports,
    },
  }),
  purgeUnused: ({ body }, data) =>
    body.dry_run
      ? undefined
      : {
          application: "client.auth",
          action: "purge",
          response: {
            removed: data?.credentials.length,
            failed: data?.failed.length,
            credentials: data?.credentials,
          },
        },
  revokeSecret: ({ params, query }, data) =>
    query.dry_run === true
      ? undefined
      : {
          application: "client.auth.secret",
          action: "revoke",
          affectedId: params.authId,
          request: { secret_id: params.secretId },
          response: factsOf(data),
        },
  createCredential: ({ body }, data) => ({
    application: "client.auth",
    action: "create",
    affectedId: data?.id ?? body.id,
    request: {
      label: body.label,
      kind: body.kind,
      max_clients: body.limits.max_clients,
      expires_at: body.limits.expires_at,
      cidrs: body.limits.cidrs,
      chosen_by: body.password === undefined ? "server" : "user",
    },
    response: { secret_id: data?.secret_id },
  }),
  deleteCredential: ({ params, query }, data) =>
    query.dry_run === true
      ? undefined
      : {
          application: "client.auth",
          action: "delete",
          affectedId: params.authId,
          request: { force: query.force, purge: query.purge },
          response: factsOf(data),
        },
  addSecret: ({ params, body }, data) => ({
    application: "client.auth.secret",
    action: "create",
    affectedId: params.authId,
    request: { chosen_by: body.password === undefined ? "server" : "user" },
    response: { secret_id: data?.secret_id },
  }),
  rotateCredential: ({ params, query, body }, data) =>
    query.dry_run === true
      ? undefined
      : {
          application: "client.auth",
          action: "rotate",
          affectedId: params.authId,
          request: { grace_seconds: body.grace_seconds },
          response: {
            moved: data?.moved,
            total: data?.total,
            unmovable: data?.unmovable,
            pairings: data?.pairings,
          },
        },
  finishRotation: ({ params, query }, data) =>
    query.dry_run === true
      ? undefined
      : {
          application: "client.auth.rotation",
          action: "finish",
          affectedId: params.authId,
          response: factsOf(data),
        },
  cancelRotation: ({ params }) => ({
    application: "client.auth.rotation",
    action: "cancel",
    affectedId: params.authId,
  }),
  approveJoin: (_, join) => ({ action: "approve", ...aboutJoin(join) }),
  denyJoin: (_, join) => ({ action: "deny", ...aboutJoin(join) }),
  // the connection that was tried is written down with those of editors
  tryTarget: () => undefined,
  createTunnel: ({ query }, data) => ({
    application: "client.tunnel",
    action: "create",
    affectedId: data?.id,
    request: {
      remote: query.remote,
      local: query.local,
      protocol: query.protocol,
      name: query.name,
      scheme: query.scheme,
      acl: query.acl,
      auto_close: query["auto-close"],
      idle_timeout_minutes: query["idle-timeout-minutes"],
    },
    response: {
      lhost: data?.lhost,
      lport: data?.lport,
      rhost: data?.rhost,
      rport: data?.rport,
      protocol: data?.protocol,
      acl: data?.acl,
    },
  }),
  deleteTunnel: ({ params, query }) => ({
    application: "client.tunnel",
    action: "delete",
    affectedId: params.tunnelId,
    request: { force: query.force },
  }),
  deleteTerminal: ({ params }) => ({
    application: "client.terminal",
    action: "delete",
    affectedId: params.terminalId,
  }),
  deleteRecording: ({ params }) => ({
    application: "client.terminal.recording",
    action: "delete",
    affectedId: params.recordingId,
  }),
  createPairing: ({ body }, data) => ({
    application: "pairing",
    action: "create",
    affectedId: data?.pairing.id,
    request: {
      credential_id: body.credential_id,
      uses: body.uses,
      ttl_seconds: body.ttl_seconds,
      name: body.name,
      tags: body.tags,
    },
    response: { expires_at: data?.pairing.expires_at, server_url: data?.server_url },
  }),
  clearRefusals: () => ({ application: "client.refusal", action: "delete" }),
  revokePairing: ({ params }) => ({
    application: "pairing",
    action: "revoke",
    affectedId: params.pairingId,
  }),
};

function aboutJoin(join: Join | undefined) {
  return {
    application: "client.join" as const,
    affectedId: join?.credential_id,
    clientId: join?.client_id,
    clientHostname: join?.hostname,
    request: {
      address: join?.address,
      reason: join?.reason,
      host_key: join?.host_key,
      known_host_key: join?.known_host_key,
      known_credential_id: join?.known_credential_id,
    },
  };
}

/** Changes that only take rights away: they happen also while entries cannot be written. */
export const TAKES_AWAY: ReadonlySet<ChangeName> = new Set<ChangeName>([
  "deleteClient",
  "deleteCredential",
  "deleteInvitation",
  "deleteSession",
  "deleteSessions",
  "deleteTerminal",
  "deleteToken",
  "deleteTunnel",
  "deleteUser",
  "deleteUserToken",
  "denyJoin",
  "disableUser",
  "finishRotation",
  "logout",
  "purgeUnused",
  "revokeClient",
  "revokePairing",
  "revokeSecret",
]);

/** What a report says, without names. */
export function factsOf(data: DeletionReport | undefined): Facts {
  return {
    clients: data?.clients.map(({ id }) => id),
    disconnected: data?.disconnected,
    pairings: data?.pairings,
  };
}
