import { AGENT_ANSWER_MAX_BYTES, secretStoredSchema } from "@rport/protocol/agent";
import type { SecretId } from "@rport/protocol/ids";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { Reply } from "@rport/protocol/wire/requests";

/** Whether an agent says that it has stored this secret. */
export function saysStored({ ok, payload }: Reply, secretId: SecretId): boolean {
  if (!ok) return false;
  const stored = secretStoredSchema.safeParse(parseJsonPayload(payload, AGENT_ANSWER_MAX_BYTES));
  return stored.data?.secret_id === secretId;
}
