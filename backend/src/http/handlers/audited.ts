import { RportError } from "@rport/protocol/errors";
import type { ENDPOINTS, EndpointInput, EndpointName, EndpointOutput } from "@rport/protocol/http";
import type { ClientId } from "@rport/protocol/ids";
import type { Client, Join } from "@rport/protocol/model";
import type { DeletionReport } from "@rport/protocol/report";
import type { Audit, AuditEntry, Facts } from "../../audit/entry.ts";
import type { Answer, CallContext, Deletion, Handler, Handlers } from "../endpoints.ts";

/** Endpoints that change something. */
type ChangeName = {
  [N in EndpointName]: (typeof ENDPOINTS)[N]["method"] extends "GET" ? never : N;
}[EndpointName];

/** What a change is called, and what of it is written down; undefined: nothing changed. */
type Description = Pick<
  AuditEntry,
  "application" | "action" | "affectedId" | "clientId" | "clientHostname" | "request" | "response"
>;
type Describe<N extends EndpointName> = (
  input: EndpointInput<N>,
  data: EndpointOutput<N> | undefined,
) => Description | undefined;

/**
 * Each change's entry; a missing one does not compile. Facts are named one by one, so that nothing
 * secret, and nothing that a later version of a message contains, gets in unseen.
 */
const DESCRIPTIONS: { readonly [N in ChangeName]: Describe<N> } = {
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
    request: { address: join?.address },
  };
}

/** The same entry as for a deletion by hand. */
function entryOf({ id, outcome }: Deletion): Description {
  const isFailure = outcome instanceof RportError;
  const response = isFailure ? { error: outcome.code } : factsOf(outcome);
  return { application: "client.auth", action: "delete", affectedId: id, response };
}

/** What a report says, without names. */
function factsOf(data: DeletionReport | undefined): Facts {
  return {
    clients: data?.clients.map(({ id }) => id),
    disconnected: data?.disconnected,
    pairings: data?.pairings,
  };
}

/** Changes that only take rights away: they happen also while entries cannot be written. */
const TAKES_AWAY: ReadonlySet<ChangeName> = new Set<ChangeName>([
  "deleteClient",
  "deleteCredential",
  "deleteTunnel",
  "denyJoin",
  "finishRotation",
  "purgeUnused",
  "revokeClient",
  "revokePairing",
  "revokeSecret",
]);

/** What the writing down of changes needs. */
export interface AuditedDeps {
  readonly audit: Audit;
  /** Asked before a change, because afterwards the client may be gone. */
  readonly clientOf: (id: ClientId) => Pick<Client, "id" | "hostname"> | undefined;
}

/**
 * The same handlers, with an entry on disk for each change before it is answered. While entries
 * cannot be written, nothing is granted any more; what takes rights away still happens.
 */
export function auditedHandlers(handlers: Handlers, deps: AuditedDeps): Handlers {
  const changes = Object.keys(DESCRIPTIONS) as ChangeName[];
  const audited = Object.fromEntries(
    changes.map((name) => [name, auditedHandler(name, handlers, deps)]),
  );
  return {
    ...handlers,
    ...audited,
    deleteClient: ifAsked(auditedHandler("deleteClient", handlers, deps)),
    deleteCredential: ifAsked(auditedHandler("deleteCredential", handlers, deps)),
    revokeSecret: ifAsked(auditedHandler("revokeSecret", handlers, deps)),
  };
}

function auditedHandler<N extends ChangeName>(
  name: N,
  handlers: Pick<Handlers, N>,
  { audit, clientOf }: AuditedDeps,
): Handler<N> {
  return async (input, context) => {
    if (!TAKES_AWAY.has(name)) await audit.ready();
    const client = "clientId" in input.params ? clientOf(input.params.clientId) : undefined;
    const who = { ...whoOf(context), clientId: client?.id, clientHostname: client?.hostname };
    let answer: Answer<N> | undefined;
    try {
      answer = await handlers[name](input, context);
    } catch (caught) {
      await recordFailure(DESCRIPTIONS[name](input, undefined), caught);
      throw caught;
    }
    for (const deletion of answer?.deletions ?? []) audit.note({ ...who, ...entryOf(deletion) });
    const description = DESCRIPTIONS[name](input, answer?.data);
    if (description !== undefined) await audit.record({ ...who, ...description });
    return answer;

    /** A refusal changed nothing. What went wrong on the way may have done a part. */
    async function recordFailure(what: Description | undefined, caught: unknown): Promise<void> {
      const { status, code } = RportError.from(caught);
      if (what === undefined || status < 500) return;
      await audit.record({ ...who, ...what, response: { error: code } });
    }
  };
}

/** The entry tells what a deletion did also when the caller did not ask; the answer does not. */
function ifAsked<N extends "deleteClient" | "deleteCredential" | "revokeSecret">(
  remove: Handler<N>,
): Handler<N> {
  return async (input, context) => {
    const answer = await remove(input, context);
    const { report, dry_run: dryRun } = input.query;
    return report === true || dryRun === true ? answer : undefined;
  };
}

function whoOf({ user, address }: CallContext): Pick<AuditEntry, "user" | "remoteIp"> {
  return { user, remoteIp: address };
}
