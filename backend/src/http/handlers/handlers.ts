import type { ServerStatus } from "@rport/protocol/model";
import { RecordMoves } from "../../adoption/adoptions.ts";
import type { AuditIndex } from "../../audit/auditIndex.ts";
import type { Audit } from "../../audit/entry.ts";
import type { Refusals } from "../../clients/refusals.ts";
import type { ClientRegistry } from "../../clients/registry/registry.ts";
import type { Credentials } from "../../credentials/credentials.ts";
import { blastOfRecord, reportOf } from "../../credentials/removal/blast.ts";
import type { PairingService } from "../../pairing/service.ts";
import type { TunnelService } from "../../tunnels/service.ts";
import type { AgentFiles } from "../agentFiles.ts";
import type { Handlers } from "../endpoints.ts";
import { auditHandlers } from "./audit.ts";
import { auditedHandlers } from "./audited.ts";
import { type ClientHandlerDeps, clientHandlers } from "./clients.ts";
import { type CredentialHandlerDeps, credentialHandlers } from "./credentials.ts";
import { joinHandlers } from "./joins.ts";
import { pairingHandlers } from "./pairings.ts";
import { refusalHandlers } from "./refusals.ts";
import { statusHandlers } from "./status.ts";
import { tunnelHandlers } from "./tunnels.ts";

/** What the REST API stands on. */
export interface HandlerDeps {
  readonly status: () => ServerStatus;
  readonly registry: ClientRegistry;
  readonly credentials: Credentials;
  readonly tunnels: TunnelService;
  readonly pairings: Pick<PairingService, "list" | "create" | "revoke">;
  readonly refusals: Pick<Refusals, "list" | "clear">;
  readonly agentFiles: Pick<AgentFiles, "require">;
  readonly audit: Audit;
  readonly auditIndex: Pick<AuditIndex, "list">;
  /** How long a pairing works when its maker does not say. */
  readonly pairingTtlS: number;
  /** Where hosts find the installer, for somebody who reached this server under `origin`. */
  readonly installOrigin: (origin: string) => string;
}

/** Every endpoint's handler; each change is in the audit log before it is answered. */
export function createHandlers(deps: HandlerDeps): Handlers {
  const { registry, audit } = deps;
  return auditedHandlers(plainHandlers(deps), { audit, clientOf: (id) => registry.get(id) });
}

function plainHandlers(deps: HandlerDeps): Handlers {
  const { credentials, tunnels, pairings, agentFiles, pairingTtlS, installOrigin } = deps;
  return {
    ...statusHandlers(deps.status),
    ...clientHandlers(clientDeps(deps)),
    ...credentialHandlers(credentialDeps(credentials)),
    ...joinHandlers(credentials.joins),
    ...tunnelHandlers(tunnels),
    ...pairingHandlers({ pairings, agentFiles, pairingTtlS, installOrigin }),
    ...refusalHandlers(deps.refusals),
    ...auditHandlers({ audit: deps.audit, index: deps.auditIndex }),
  };
}

function clientDeps({ registry, credentials, tunnels }: HandlerDeps): ClientHandlerDeps {
  const moves = new RecordMoves({ registry, credentials, tunnels });
  return {
    list: () => registry.list(),
    get: (id) => registry.get(id),
    tunnelsOf: (id) => tunnels.tunnelsOf(id),
    async remove(id, dryRun) {
      const client = registry.clientOf(id);
      registry.requireRemovable(id);
      const report = reportOf(blastOfRecord(client));
      if (dryRun) return report;
      await registry.remove(id);
      if (client !== undefined) credentials.onClientsChanged(client.credentialId);
      return report;
    },
    revoke: (id, dryRun) => credentials.revokeClient(id, dryRun),
    allow: (id) => credentials.allowClient(id),
    move: (id, from) => moves.move(id, from),
  };
}

function credentialDeps(credentials: Credentials): CredentialHandlerDeps {
  return {
    list: () => credentials.list().flatMap(({ id }) => credentials.view(id) ?? []),
    get: (id) => credentials.view(id) ?? undefined,
    secrets: (id) => credentials.secrets(id),
    async create(body, createdBy) {
      const { id, secretId, password } = await credentials.create({ ...body, createdBy });
      return { id, secret_id: secretId, password };
    },
    async addSecret(authId, body) {
      const { id, secretId, password } = await credentials.addSecret(authId, body);
      return { id, secret_id: secretId, password };
    },
    async rotate(id, { graceMs, dryRun }) {
      const { rotation, ...started } = await credentials.rotate(id, graceMs, dryRun);
      return { ...rotation, ...started };
    },
    rotation: (id) => credentials.rotation(id),
    finishRotation: (id, dryRun) => credentials.finishRotation(id, dryRun),
    cancelRotation: (id) => credentials.cancelRotation(id),
    update: (id, change) => credentials.update(id, change),
    revokeSecret: (id, secretId, dryRun) => credentials.revokeSecret(id, secretId, dryRun),
    purgeUnused: (dryRun) => credentials.purgeUnused(dryRun),
    remove: (id, how) => credentials.remove(id, how),
  };
}
