import { type AgentSettings, type SpawnedAgent, spawnAgent } from "../agents/agent.ts";
import { BUILT_AGENTS, builtAgent } from "../agents/builtAgent.ts";
import { type RunningBackend, startBackend } from "../backend/backend.ts";
import { bareBash } from "../terminals/homeShell.ts";
import { LOCAL_BACKEND } from "./fleet.ts";
import { HostTerminals } from "./hostTerminals.ts";
import { openRport, type RportEditor } from "./rport.ts";
import type { CodeOptions } from "./server.ts";
import { SLOW_MS } from "./slow.ts";
import type { Workbench } from "./workbench.ts";

/** A host as a test describes it. */
export interface TerminalFleetHost {
  readonly name: string;
  readonly tags?: readonly string[];
  /** What `[terminal]` of its agent says, beside that it has terminals of Bash. */
  readonly terminal?: Readonly<Record<string, unknown>>;
  /** Where its agent finds the server; directly unless given. */
  readonly server?: (backend: RunningBackend) => string;
}

/** What the window has, and whether the server records all terminals. */
export interface TerminalFleetOptions extends CodeOptions {
  readonly recordsTerminals?: boolean;
}

/** A server, hosts with terminals, and a window. */
export interface TerminalFleet {
  readonly backend: RunningBackend;
  readonly rport: RportEditor;
  readonly workbench: Workbench;
  readonly terminals: HostTerminals;
  readonly agents: ReadonlyMap<string, SpawnedAgent>;
}

/** Starts a backend, an agent as it is shipped for each host, and a window that shows all of them. */
export async function openTerminalFleet(
  resources: AsyncDisposableStack,
  hosts: readonly TerminalFleetHost[],
  { recordsTerminals = false, ...options }: TerminalFleetOptions = {},
): Promise<TerminalFleet> {
  const backend = resources.use(await startBackend({ recordsTerminals }));
  const { password } = await backend.api("createCredential", { body: { id: "hosts" } });
  await builtAgent();
  const agents = new Map<string, SpawnedAgent>();
  const { shell } = resources.use(await bareBash());
  for (const host of hosts) {
    const settings = settingsOf(host, { backend, password, shell });
    agents.set(host.name, resources.use(await spawnAgent(settings, BUILT_AGENTS.at(-1)?.program)));
  }
  const settings = { "rport.servers": [LOCAL_BACKEND], ...options.settings };
  const rport = resources.use(await openRport(backend.dataDir, { ...options, settings }));
  for (const { name } of hosts) await rport.clients.row(name).waitFor({ timeout: SLOW_MS });
  const { workbench } = rport;
  return { backend, rport, workbench, terminals: new HostTerminals(workbench), agents };
}

interface Surroundings {
  readonly backend: RunningBackend;
  readonly password: string;
  readonly shell: string;
}

function settingsOf(
  { name, tags = [], terminal, server }: TerminalFleetHost,
  { backend, password, shell }: Surroundings,
): AgentSettings {
  const { fingerprint } = backend;
  return {
    server: server?.(backend) ?? backend.url,
    client: { fingerprint, auth: `hosts:${password}`, id: name, name, tags },
    connection: { max_retry_interval: "1s" },
    terminal: { enabled: true, shell, ...terminal },
  };
}
