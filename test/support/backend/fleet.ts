import type { AgentSettings } from "../agents/agent.ts";
import type { TestApi } from "./api.ts";

/** The credential that these tests make. */
export const FLEET = "fleet";

/** Where a backend is, and the key it has to show. */
export interface FleetServer {
  readonly url: string;
  readonly fingerprint: string;
}

/** Makes the credential `fleet`; answers with its password. */
export async function makeFleet(api: Pick<TestApi, "call">): Promise<string> {
  const { password } = await api.call("createCredential", { body: { id: FLEET } });
  return password;
}

/** The settings of an agent that signs in to the backend with the credential `fleet`. */
export function agentOf(server: FleetServer, password: string, id: string): AgentSettings {
  const { url, fingerprint } = server;
  return { server: url, client: { fingerprint, auth: `${FLEET}:${password}`, id, name: id } };
}
