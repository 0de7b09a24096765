import { AGENT_ANSWER_MAX_BYTES, hostKeyProofSchema, REQUESTS } from "@rport/protocol/agent";
import { type AgentHostKey, hostKeyProofText } from "@rport/protocol/hostKey";
import { parseJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { Reply } from "@rport/protocol/wire/requests";
import type { Clock } from "../../platform/clock.ts";
import { bytes } from "../../platform/random.ts";
import { Refused } from "./refused.ts";

/** How long an agent may take to prove that it has the key it named. */
const PROOF_MS = 5_000;
const NONCE_BYTES = 32;

/** What a check needs. */
export interface HostKeyCheck {
  /** `ID` of the agent's request, as it came. */
  readonly clientId: string;
  /** The key it named; undefined for agents that have none (RPort's own). */
  readonly key: AgentHostKey | undefined;
  /** `SHA256:` form; an agent that was led to another server signs another text. */
  readonly serverFingerprint: string;
  readonly clock: Clock;
  readonly ask: (name: string, payload: object) => Promise<Reply>;
}

/**
 * The fingerprint of the key that the agent named and has just been found to have; undefined when
 * it named none. Throws `Refused`.
 */
export async function provenHostKey(check: HostKeyCheck): Promise<string | undefined> {
  const { key, clientId, serverFingerprint } = check;
  if (key === undefined) return undefined;
  const nonce = bytes(NONCE_BYTES).toString("base64url");
  const reply = await inTime(check.clock, check.ask(REQUESTS.proveHostKey, { nonce }));
  if (!reply.ok) throw Refused.protocol("the agent did not prove that it has its host key");
  const text = hostKeyProofText({ nonce, serverFingerprint, clientId });
  if (isSigned(key, text, reply.payload)) return key.fingerprint;
  throw Refused.protocol("the proof of the host key is wrong");
}

/** The request itself may wait longer: its end ends the connection before we could say why. */
async function inTime(clock: Clock, asking: Promise<Reply>): Promise<Reply> {
  const late = Promise.withResolvers<never>();
  const overdue = Refused.protocol("the agent did not prove its host key in time");
  const timer = clock.after(PROOF_MS, () => late.reject(overdue));
  try {
    return await Promise.race([asking, late.promise]);
  } finally {
    timer.cancel();
  }
}

function isSigned(key: AgentHostKey, text: Buffer, payload: Buffer): boolean {
  const proof = hostKeyProofSchema.safeParse(parseJsonPayload(payload, AGENT_ANSWER_MAX_BYTES));
  return proof.success && key.verifies(text, proof.data.signature);
}
