import type { SecretId } from "@rport/protocol/ids";
import type { Clock } from "../platform/clock.ts";
import type { SecretEdit } from "../store/secretEdit.ts";
import type { SecretRow } from "../store/secretRow.ts";
import type { Ledger } from "./ledger.ts";
import type { LiveCredential } from "./liveCredential.ts";
import type { CredentialTouch, SessionPort } from "./session.ts";

/** What a revocation needs. */
export interface RevocationDeps {
  readonly ledger: Ledger;
  readonly sessions: SessionPort;
  readonly clock: Clock;
  readonly touch: CredentialTouch;
}

/** Ends secrets durably, then the sessions that stand on them. Ids that are gone are skipped. */
export async function revokeSecrets(ids: readonly SecretId[], deps: RevocationDeps): Promise<void> {
  const perCredential = Map.groupBy(ids, (id) => deps.ledger.ownerOf(id));
  for (const [live, own] of perCredential) {
    if (live !== undefined) await revokeOf(live, new Set(own), deps);
  }
}

async function revokeOf(
  live: LiveCredential,
  ids: ReadonlySet<SecretId>,
  deps: RevocationDeps,
): Promise<void> {
  const atMs = deps.clock.now();
  const rows = live.secrets().filter((row) => ids.has(row.id));
  await deps.ledger.edit(
    live,
    rows.map((row) => editFor(row, atMs)),
  );
  for (const session of deps.sessions.ofCredential(live.id).slice()) {
    if (ids.has(session.secretId)) session.cut("the secret was revoked");
  }
  deps.touch("credential", live.id);
}

/** A secret that nobody ever used explains nothing by staying. */
function editFor(row: SecretRow, atMs: number): SecretEdit {
  const isUnused = row.last_used_at === null && row.client_id === null;
  return isUnused ? { kind: "remove", id: row.id } : { kind: "revoke", id: row.id, atMs };
}
