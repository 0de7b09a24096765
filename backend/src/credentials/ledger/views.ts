import type { Credential, Rotation, Secret } from "@rport/protocol/model";
import { toTime, toTimeOrNull } from "../../platform/clock.ts";
import type { ShownTimes } from "../../platform/steadyTime.ts";
import { sooner } from "../../store/edits/secretEdit.ts";
import type { SecretRow } from "../../store/records/secretRow.ts";
import type { ClientPort } from "../ports.ts";
import { isExpired } from "./expiry.ts";
import type { LedgerEntry } from "./ledgerEntry.ts";

/** What a credential's view takes from elsewhere. */
export interface CredentialFacts {
  readonly clients: Pick<ClientPort, "countOf">;
  /** The rotation that is under way. */
  readonly rotation: Rotation | undefined;
  readonly nowMs: number;
  readonly floodedAt: string | undefined;
  readonly crowdedAt: string | undefined;
}

/** A credential as people see it. */
export function toCredential(
  entry: LedgerEntry,
  { clients, rotation, nowMs, floodedAt, crowdedAt }: CredentialFacts,
): Credential {
  const { salt: _, ...record } = entry.record;
  const secrets = countSecrets(entry, nowMs);
  const rotatedAt = entry.rotation?.started_at;
  const { total, connected } = clients.countOf(entry.id);
  return {
    ...record,
    clients_total: total,
    clients_connected: connected,
    secrets_active: secrets.active,
    secrets_grace: secrets.grace,
    last_used_at: toTimeOrNull(secrets.lastUse),
    // By the machine's clock of then, as all that happened once: editors are told of it once.
    rotated_at: toTimeOrNull(rotatedAt ?? null),
    rotation: rotation ?? null,
    flooded_at: floodedAt ?? null,
    crowded_at: crowdedAt ?? null,
  };
}

/** One secret as people see it. */
export function toSecret(row: SecretRow, times: ShownTimes): Secret {
  const unboundUntil = row.client_id === null ? row.unbound_until : null;
  const endsAt = sooner(row.expires_at, unboundUntil);
  return {
    id: row.id,
    credential_id: row.credential_id,
    origin: row.origin,
    state: row.state,
    client_id: row.client_id,
    single_use: row.single_use,
    created_at: toTime(row.created_at),
    last_used_at: toTimeOrNull(row.last_used_at),
    expires_at: toTimeOrNull(endsAt === null ? null : times.steady(endsAt)),
  };
}

/** All in one pass: a fleet has as many secrets as hosts, and is shown at each of their logins. */
function countSecrets(entry: LedgerEntry, nowMs: number) {
  const count = { active: 0, grace: 0, revoked: 0 };
  let lastUse: number | undefined;
  for (const row of entry.secrets()) {
    if (!isExpired(row, nowMs)) count[row.state] += 1;
    const usedAt = row.last_used_at;
    if (usedAt !== null && usedAt > (lastUse ?? Number.NEGATIVE_INFINITY)) lastUse = usedAt;
  }
  return { active: count.active, grace: count.grace, lastUse };
}
