import { AGENT_ANSWER_MAX_BYTES, REQUESTS, secretStoredSchema } from "@rport/protocol/agent";
import type { SecretId } from "@rport/protocol/ids";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { Reply } from "@rport/protocol/wire/requests";
import type { OfferedSecret } from "../../credentials/ports.ts";
import type { LiveSession } from "../liveSession.ts";

/** Whose agent is given a secret. */
type Offered = Pick<LiveSession, "credentialId" | "ask">;

/** Hands the agent its next secret. True: it says that it has stored it. */
export async function offeredSecret(session: Offered, next: OfferedSecret): Promise<boolean> {
  const { secretId: secret_id, secret } = next;
  try {
    const offer = { auth_id: session.credentialId, secret_id, secret };
    return saysStored(await session.ask(REQUESTS.rotateSecret, offer), secret_id);
  } catch {
    return false;
  }
}

/** Whether an agent says that it has stored this secret. */
export function saysStored({ ok, payload }: Reply, secretId: SecretId): boolean {
  if (!ok) return false;
  const stored = secretStoredSchema.safeParse(parseJsonPayload(payload, AGENT_ANSWER_MAX_BYTES));
  return stored.data?.secret_id === secretId;
}
