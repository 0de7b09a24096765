import type { ServerStatus } from "@rport/protocol/serverStatus";
import type { ClientGrants } from "../../access/clientGrants.ts";
import type { ClientGroups } from "../../access/clientGroups.ts";
import type { SeenParams } from "../../access/seenParams.ts";
import type { Adoptions } from "../../adoption/adoptions.ts";
import type { Audit } from "../../audit/entry.ts";
import type { AuditIndex } from "../../audit/index/auditIndex.ts";
import type { Refusals } from "../../clients/refusals.ts";
import type { ClientViews } from "../../clients/registry/clientViews.ts";
import type { ClientRegistry } from "../../clients/registry/registry.ts";
import type { Credentials } from "../../credentials/credentials.ts";
import { blastOfRecord, reportOf } from "../../credentials/removal/blast.ts";
import type { StartedRotation } from "../../credentials/rotation/rotations.ts";
import type { AgentFiles } from "../../downloads/agentFiles.ts";
import type { ListSearches } from "../../lists/listSearches.ts";
import type { PairingService } from "../../pairing/pairingService.ts";
import type { Pairings } from "../../pairing/pairings.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Recordings } from "../../recordings/recordings.ts";
import type { Terminals } from "../../terminals/terminals.ts";
import type { Listening } from "../../tunnels/listening.ts";
import type { Probe } from "../../tunnels/probe.ts";
import type { TunnelService } from "../../tunnels/tunnelService.ts";
import type { Accounts } from "../../users/accounts.ts";
import type { Actor } from "../../users/actor.ts";
import type { ClientAccess } from "../../users/clientAccess.ts";
import type { Handlers } from "../endpoints.ts";
import { accessHandlers } from "./access.ts";
import { auditHandlers } from "./audit.ts";
import { type AuditedDeps, auditedHandlers } from "./audited.ts";
import { type ClientHandlerDeps, clientHandlers } from "./clients.ts";
import { type CredentialHandlerDeps, credentialHandlers } from "./credentials.ts";
import { joinHandlers } from "./joins.ts";
import { meHandlers } from "./me.ts";
import { pairingHandlers } from "./pairings.ts";
import { type AdministrationHandlerDeps, administrationHandlers } from "./people/administration.ts";
import { recordingHandlers } from "./recordings.ts";
import { refusalHandlers } from "./refusals.ts";
import { signInHandlers } from "./signIn.ts";
import { statusHandlers } from "./status.ts";
import { terminalHandlers } from "./terminals.ts";
import { tunnelHandlers } from "./tunnels.ts";

/** What the REST API stands on. */
export interface HandlerDeps {
  readonly status: (actor: Actor) => ServerStatus;
  readonly access: ClientAccess;
  readonly searches: Pick<ListSearches, "run" | "all" | "work">;
  readonly seenParams: Pick<SeenParams, "of">;
  readonly clientGroups: ClientGroups;
  readonly grants: ClientGrants;
  /** Whether somebody has set where agents reach this server. */
  readonly hasServerUrls: boolean;
  readonly registry: Pick<
    ClientRegistry,
    "clientOf" | "give" | "record" | "requireRemovable" | "remove"
  >;
  readonly clients: ClientViews;
  readonly adoptions: Adoptions;
  readonly credentials: Credentials;
  readonly tunnels: TunnelService;
  readonly terminals: Terminals;
  readonly recordings: Pick<Recordings, "all" | "metaOf" | "read" | "remove">;
  readonly listening: Listening;
  readonly probe: Probe;
  readonly pairings: Pick<Pairings, "all">;
  readonly pairingService: Pick<PairingService, "create" | "revoke">;
  readonly refusals: Pick<Refusals, "list" | "clear">;
  readonly administration: Omit<AdministrationHandlerDeps, "searches">;
  readonly agentFiles: Pick<AgentFiles, "require" | "current">;
  readonly accounts: Accounts;
  readonly clock: Pick<Clock, "monotonic">;
  readonly audit: Audit;
  readonly changes: AuditedDeps["changes"];
  readonly auditIndex: Pick<AuditIndex, "list">;
  /** How long a pairing works when its maker does not say. */
  readonly pairingTtlS: number;
  /** Where hosts find the installer, for somebody who reached this server under `origin`. */
  readonly installOrigin: (origin: string) => string;
}

/** Every endpoint's handler; each change is in the audit log before it is answered. */
export function createHandlers(deps: HandlerDeps): Handlers {
  const { clients, audit, changes } = deps;
  const clientOf: AuditedDeps["clientOf"] = (id) => clients.get(id);
  return auditedHandlers(plainHandlers(deps), { audit, changes, clientOf });
}

function plainHandlers(deps: HandlerDeps): Handlers {
  const { credentials, tunnels, pairings, pairingService } = deps;
  const { agentFiles, pairingTtlS, installOrigin, searches } = deps;
  return {
    ...clientHandlers(clientDeps(deps)),
    ...credentialHandlers(credentialDeps(credentials, searches)),
    ...joinHandlers(credentials.joins, searches),
    ...tunnelHandlers({
      access: deps.access,
      searches,
      all: () => tunnels.all(),
      create: (id, query, asker) => tunnels.create(id, query, asker),
      remove: (id, tunnelId, force) => tunnels.remove(id, tunnelId, force),
      trafficOf: (id, tunnelId) => tunnels.trafficOf(id, tunnelId),
      listening: deps.listening,
      probe: deps.probe,
    }),
    ...terminalHandlers({ terminals: deps.terminals, searches }),
    ...recordingHandlers({
      recordings: deps.recordings,
      audit: deps.audit,
      searches,
      clock: deps.clock,
    }),
    ...pairingHandlers({
      pairings,
      searches,
      pairingService,
      agentFiles,
      pairingTtlS,
      installOrigin,
    }),
    ...refusalHandlers(deps.refusals, searches),
    ...auditHandlers({
      audit: deps.audit,
      index: deps.auditIndex,
      people: deps.accounts.ledger,
    }),
    ...administrationHandlers({ ...deps.administration, searches }),
    ...accessHandlers({
      searches,
      groups: deps.clientGroups,
      grants: deps.grants,
      access: deps.access,
      seenParams: deps.seenParams,
      isConnected: (id) => deps.registry.clientOf(id)?.connected === true,
    }),
    ...meHandlers(deps.accounts),
    ...signInHandlers({ ...deps.accounts, audit: deps.audit }),
    ...statusHandlers({
      status: deps.status,
      agentFiles,
      hasUsers: () => deps.accounts.ledger.size > 0,
      hasServerUrls: deps.hasServerUrls,
      installOrigin,
    }),
  };
}

function clientDeps(deps: HandlerDeps): ClientHandlerDeps {
  const { access, registry, clients, adoptions, credentials, tunnels, searches } = deps;
  const { revocations } = credentials;
  return {
    access,
    searches,
    list: (sees) => clients.list(sees),
    get: (id) => clients.get(id),
    tunnelsOf: (id) => tunnels.tunnelsOf(id),
    previewRemoval(id) {
      registry.requireRemovable(id);
      return reportOf(blastOfRecord(registry.clientOf(id)));
    },
    async remove(id) {
      const report = reportOf(blastOfRecord(registry.clientOf(id)));
      await registry.remove(id);
      return report;
    },
    previewRevocation: (id) => revocations.previewClient(id),
    revoke: (id) => revocations.client(id),
    allow: (id) => revocations.allow(id),
    give: (id, change) => registry.give(id, change),
    adopt: (id, from, requireRight) => adoptions.adopt(id, from, requireRight),
  };
}

function credentialDeps(
  credentials: Credentials,
  searches: CredentialHandlerDeps["searches"],
): CredentialHandlerDeps {
  const { rotations, revocations, removals, purge } = credentials;
  return {
    searches,
    list: () => credentials.list(),
    get: (id) => credentials.get(id),
    secrets: (id) => credentials.secrets(id),
    async create(body, createdBy, requireRight) {
      const input = { ...body, createdBy, requireRight };
      const { id, secretId, password } = await credentials.create(input);
      return { id, secret_id: secretId, password };
    },
    async addSecret(authId, body, requireRight) {
      const input = { ...body, requireRight };
      const { id, secretId, password } = await credentials.addSecret(authId, input);
      return { id, secret_id: secretId, password };
    },
    previewRotation: async (id, graceMs) => answerOf(await rotations.previewStart(id, graceMs)),
    rotate: async (id, graceMs) => answerOf(await rotations.start(id, graceMs)),
    async rotation(id) {
      const { rotation, clients } = await rotations.show(id);
      return { rotation: rotation ?? null, clients };
    },
    previewFinish: (id) => rotations.previewFinish(id),
    finishRotation: (id) => rotations.finish(id),
    cancelRotation: (id) => rotations.abandon(id),
    update: (id, change) => credentials.update(id, change),
    previewSecretRevocation: (id, secretId) => revocations.previewSecret(id, secretId),
    revokeSecret: (id, secretId) => revocations.secret(id, secretId),
    previewPurge: () => purge.preview(),
    purgeUnused: () => purge.run(),
    previewRemoval: (id, how) => removals.preview(id, how),
    remove: (id, how) => removals.remove(id, how),
  };
}

function answerOf({ rotation, ...started }: StartedRotation) {
  return { ...rotation, ...started };
}
