import { type AuthId, authIdSchema, type SecretId } from "@rport/protocol/ids";
import type { Secret } from "@rport/protocol/model";
import type { KnownSecret } from "@rport/protocol/people/user";
import { z } from "zod";
import type { AuditIndex } from "../../audit/index/auditIndex.ts";
import type { LastingRow } from "../../audit/index/lastingRows.ts";
import type { Clock } from "../../platform/clock.ts";
import { Redactor } from "../../platform/redactor.ts";

/** What is asked for the secrets that somebody knows. */
export interface KnownSecretsDeps {
  readonly index: Pick<AuditIndex, "lasting" | "renames">;
  readonly credentials: { secrets(id: AuthId): readonly Secret[] };
  readonly clock: Pick<Clock, "now">;
}

const madeSchema = z.object({
  affected_id: authIdSchema,
  timestamp: z.string(),
  request: z.object({ chosen_by: z.enum(["user", "server"]) }),
  response: z.object({ secret_id: z.string() }),
});
const renameSchema = z.object({ username: z.string() });
const redactor = new Redactor();

/**
 * Secrets that still work and whose values a user typed or was shown, under whatever name, oldest
 * first; also of one who was deleted. Fails as the audit log's index does.
 */
export async function knownSecrets(
  user: string,
  { index, credentials, clock }: KnownSecretsDeps,
): Promise<KnownSecret[]> {
  const names = namesOf(user, await index.renames());
  const made = (await index.lasting([...names])).flatMap((row) => {
    const parsed = madeSchema.safeParse(row);
    return parsed.success ? [parsed.data] : [];
  });
  const nowMs = clock.now();
  const working = (id: AuthId): ReadonlySet<SecretId> => {
    const secrets = credentials.secrets(id).filter((secret) => isWorking(secret, nowMs));
    return new Set(secrets.map((secret) => secret.id));
  };
  const ids = new Set(made.map((row) => row.affected_id));
  const workingOf = new Map<AuthId, ReadonlySet<string>>([...ids].map((id) => [id, working(id)]));
  return made
    .filter((row) => workingOf.get(row.affected_id)?.has(row.response.secret_id) === true)
    .map(toKnownSecret);
}

/** The user's name and those before it. Who had one of them later, too, is not told apart. */
function namesOf(user: string, renames: readonly LastingRow[]): ReadonlySet<string> {
  const names = new Set([user]);
  for (const row of renames.toReversed()) {
    const to = renameSchema.safeParse(row.request).data?.username;
    const isOurs = [...names].some((name) => redactor.text(name) === to);
    if (isOurs) names.add(row.application === "auth.user.me" ? row.username : row.affected_id);
  }
  return names;
}

function isWorking({ state, expires_at: end }: Secret, nowMs: number): boolean {
  return state !== "revoked" && (end === null || Date.parse(end) > nowMs);
}

function toKnownSecret({
  affected_id,
  request,
  response,
  timestamp,
}: z.infer<typeof madeSchema>): KnownSecret {
  return {
    auth_id: affected_id,
    secret_id: response.secret_id,
    known_by: request.chosen_by === "user" ? "typed" : "shown",
    at: timestamp,
  };
}
