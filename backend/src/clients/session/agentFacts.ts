import type { AgentFacts } from "../../audit/agentEvents.ts";
import type { ClientRegistry } from "../registry/registry.ts";
import type { ArrivingSession } from "./arrivingSession.ts";

/** What an agent's session is named by. */
export type NamedSession = Pick<
  ArrivingSession,
  "address" | "credentialId" | "secretId" | "clientId" | "hostKey"
>;

/** What the audit log is told about the agent of a session. */
export function factsOf(
  session: NamedSession,
  registry: Pick<ClientRegistry, "record">,
): AgentFacts {
  const { address, credentialId, secretId, clientId, hostKey } = session;
  const record = clientId === undefined ? undefined : registry.record(clientId);
  const { hostname, version } = record ?? {};
  return { address, credentialId, secretId, clientId, hostname, version, hostKey };
}

/** How a line of the log names the agent of a session. */
export function namesOf({ clientId, credentialId, address }: NamedSession) {
  return { client: clientId, credential: credentialId, address };
}
