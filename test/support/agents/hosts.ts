import type { RunningBackend } from "../backend/backend.ts";
import { PeerAgent } from "./peerAgent.ts";

/** The credential of all hosts below. */
export const FLEET = "web-fleet";

/** Hosts as a small fleet has them; the last one is away. */
export const HOSTS = [
  { id: "machine-1", name: "web-01", system: "Debian 12.5", ipv4: "10.0.8.11" },
  { id: "machine-2", name: "web-02", system: "Debian 12.5", ipv4: "10.0.8.12" },
  { id: "machine-3", name: "db-01", system: "Ubuntu 24.04", ipv4: "10.0.8.21" },
  { id: "machine-4", name: "cache-01", system: "Ubuntu 24.04", ipv4: "10.0.8.31" },
  { id: "machine-5", name: "build-arm", system: "Alpine 3.21", ipv4: "10.0.9.4" },
] as const;

/**
 * Signs all of `HOSTS` in with one credential, `FLEET`; they stay until the stack is disposed of.
 */
export async function joinHosts(
  backend: RunningBackend,
  resources: AsyncDisposableStack,
): Promise<void> {
  const body = { id: FLEET, label: "Web servers" };
  const { password } = await backend.api("createCredential", { body });
  const url = backend.url.replace(/^http/, "ws");
  for (const { id, name, system, ipv4 } of HOSTS) {
    const introduction = { ID: id, Name: name, OSFullName: system, IPv4: [ipv4] };
    const agent = await PeerAgent.join({ url, user: FLEET, password, introduction });
    if (name === "build-arm") await agent[Symbol.asyncDispose]();
    else resources.use(agent);
  }
}
