import type { ClientId } from "@rport/protocol/ids";
import { Adoptions } from "../../adoption/adoptions.ts";
import type { Credentials } from "../../credentials/credentials.ts";
import { blastOfRecord, reportOf } from "../../credentials/removal/blast.ts";
import type { Services } from "../../services.ts";
import type { Handlers } from "../endpoints.ts";
import { auditHandlers } from "./audit.ts";
import { auditedHandlers } from "./audited.ts";
import { clientHandlers } from "./clients.ts";
import { type CredentialSource, credentialHandlers } from "./credentials.ts";
import { joinHandlers } from "./joins.ts";
import { pairingHandlers } from "./pairings.ts";
import { refusalHandlers } from "./refusals.ts";
import { statusHandlers } from "./status.ts";
import { tunnelHandlers } from "./tunnels.ts";

/** What the REST API stands on. */
export interface HandlerDeps
  extends Pick<
    Services,
    | "status"
    | "registry"
    | "credentials"
    | "tunnels"
    | "pairings"
    | "refusals"
    | "agentFiles"
    | "auditing"
  > {
  readonly pairingTtlS: number;
  /** Where hosts find the installer, for somebody who reached this server under `origin`. */
  readonly installOrigin: (origin: string) => string;
}

/** Every endpoint's handler; each change is in the audit log before it is answered. */
export function createHandlers(services: HandlerDeps): Handlers {
  const { clients, auditing } = services;
  const clientOf = (id: ClientId) => clients.get(id);
  return auditedHandlers(plainHandlers(services), { audit: auditing.audit, clientOf });
}

function plainHandlers(services: HandlerDeps): Handlers {
  const { registry, clients, credentials, tunnels } = services;
  const { revocations } = credentials;
  return {
    ...statusHandlers(services.status),
    ...clientHandlers({
      list: () => clients.list(),
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
      adopt: (id, from) => services.adoptions.adopt(id, from),
    }),
    ...credentialHandlers(credentialSource(credentials)),
    ...joinHandlers(credentials.joins),
    ...tunnelHandlers(tunnels),
    ...pairingHandlers(services),
    ...refusalHandlers(services.refusals),
    ...auditHandlers(services.auditing),
  };
}

function credentialSource(credentials: Credentials): CredentialSource {
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
