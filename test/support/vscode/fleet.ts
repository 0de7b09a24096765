import { FLEET, joinHosts } from "../agents/hosts.ts";
import { type RunningBackend, startBackend } from "../backend/backend.ts";
import { openRport, type RportEditor } from "./rport.ts";
import type { CodeOptions } from "./server.ts";

/** The local backend, as the settings name it. */
export const LOCAL_BACKEND = { name: "Local Backend", url: "local" } as const;

/** A backend with hosts, and with a credential for one more. */
export interface Fleet {
  readonly backend: RunningBackend;
  /** The secret of the other credential. */
  readonly password: string;
}

/**
 * Starts a backend with `HOSTS`.
 *
 * @param resources what is started goes with it
 * @param credential the auth id of a credential to create, which no host has yet
 */
export async function startFleet(
  resources: AsyncDisposableStack,
  credential: string,
): Promise<Fleet> {
  const backend = resources.use(await startBackend());
  await joinHosts(backend, resources);
  const { password } = await backend.api("createCredential", { body: { id: credential } });
  return { backend, password };
}

/** Opens an editor with a fleet's backend as its only server, and waits until it shows hosts and credentials. */
export async function openFleet(
  resources: AsyncDisposableStack,
  { dataDir }: Pick<RunningBackend, "dataDir">,
  options: CodeOptions = {},
): Promise<RportEditor> {
  const settings = { "rport.servers": [LOCAL_BACKEND], ...options.settings };
  const rport = resources.use(await openRport(dataDir, { ...options, settings }));
  await rport.clients.row("web-01").waitFor();
  await rport.access.row(FLEET).waitFor();
  return rport;
}
