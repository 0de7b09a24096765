import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256Fingerprint } from "@rport/protocol/wire/serverKey";
import { stringify } from "smol-toml";
import { Agent, type AgentDeps } from "../../../agent/src/agent.ts";
import { loadConfig } from "../../../agent/src/config/loadConfig.ts";
import type { ConnectionState } from "../../../agent/src/connection/connectionState.ts";
import { platformOf } from "../../../agent/src/machine/platformOf.ts";
import { SYSTEM_CLOCK } from "../../../agent/src/platform/clock.ts";
import { createLog } from "../../../agent/src/platform/log.ts";
import { SYSTEM_LOOKUP } from "../../../agent/src/tunnels/target.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { PASSWORD, SERVER_KEY, USER } from "../wire/wirePair.ts";
import { within } from "../within.ts";

/** What an agent for a test is told; the rest is the test server's key and credential. */
export interface AgentSettings {
  /** The server's address. */
  readonly server: string;
  /** Keys of `[client]`, over the defaults. */
  readonly client?: Readonly<Record<string, unknown>>;
  /** Keys of `[connection]`. */
  readonly connection?: Readonly<Record<string, unknown>>;
  /** Keys of `[terminal]`; without them there are none. */
  readonly terminal?: Readonly<Record<string, unknown>>;
  /** Keys of `[logging]`, over the defaults. */
  readonly logging?: Readonly<Record<string, unknown>>;
}

/** What both kinds of agents have. */
export interface AgentFiles extends AsyncDisposable {
  readonly configFile: string;
  readonly dataDir: string;
}

/** An agent in this process. */
export interface TestAgent extends AgentFiles {
  readonly agent: Agent;
  /** Its log, one JSON object per line. */
  readonly lines: readonly string[];
  /** Resolves when it is, or already was, registered at its server. */
  online(): Promise<void>;
  /** Resolves with the first state, the current one included, that `isWanted`. */
  until(isWanted: (state: ConnectionState) => boolean): Promise<ConnectionState>;
}

/** What a test puts in the place of the agent's own. */
export type Replaced = Partial<
  Pick<AgentDeps, "platform" | "resolve" | "transportLimits" | "clock" | "findPty">
>;

/**
 * Starts an agent in this process. It is stopped, and its files removed, at the end of its scope.
 */
export async function startAgent(
  settings: AgentSettings,
  replaced: Replaced = {},
): Promise<TestAgent> {
  return await startWith(await agentFiles(settings), replaced);
}

/** The same with a configuration that is there, written by enrolling; the file stays. */
export async function startEnrolledAgent(configFile: string): Promise<TestAgent> {
  const { dataDir } = await loadConfig(configFile);
  return await startWith({ configFile, dataDir, [Symbol.asyncDispose]: async () => {} }, {});
}

async function startWith(files: AgentFiles, replaced: Replaced): Promise<TestAgent> {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const agent = await Agent.start({
    config: await loadConfig(files.configFile),
    log: createLog({ level: "debug", clock: SYSTEM_CLOCK, write }),
    clock: SYSTEM_CLOCK,
    random: Math.random,
    resolve: SYSTEM_LOOKUP,
    platform: platformOf(process.platform),
    ...replaced,
  });
  const until: TestAgent["until"] = (isWanted) => stateOf(agent, isWanted);
  return {
    ...files,
    agent,
    lines,
    until,
    online: async () => void (await until(({ kind }) => kind === "online")),
    async [Symbol.asyncDispose]() {
      await agent.stop();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** An agent in a process of its own. */
export interface SpawnedAgent extends AgentFiles {
  readonly pid: number;
  /** Everything it has logged. */
  log(): string;
  /** Nobody reads its log any more. */
  closeLog(): void;
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** How an agent is run as a process. */
export interface AgentProgram {
  readonly command: readonly [string, ...string[]];
  /** The whole environment; by default that of the tests. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const MAIN = fileURLToPath(new URL("../../../agent/src/main.ts", import.meta.url));

/** The agent's sources, run by the Node of the tests. */
export const FROM_SOURCES: AgentProgram = { command: [process.execPath, MAIN] };

/** Starts `rport-agent run` as its own process; killed at the end of its scope. */
export async function spawnAgent(
  settings: AgentSettings,
  program: AgentProgram = FROM_SOURCES,
): Promise<SpawnedAgent> {
  return respawnAgent(await agentFiles(settings), program);
}

/** Starts it once more with the files of one that has ended. */
export function respawnAgent(
  files: AgentFiles,
  { command, env }: AgentProgram = FROM_SOURCES,
): SpawnedAgent {
  const [path, ...words] = command;
  const child = spawn(path, [...words, "run", "-c", files.configFile], {
    env: env ?? process.env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ended = once(child, "close").then(([code, signal]) => code ?? signal);
  return {
    ...files,
    pid: child.pid ?? 0,
    log: () => log,
    closeLog: () => void child.stderr.destroy(),
    signal: (name) => void child.kill(name),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await files[Symbol.asyncDispose]();
    },
  };
}

/** How a run of the command line ended. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `rport-agent` with arguments and an input, until it ends. */
export async function runCli(
  args: readonly string[],
  input = "",
  { command, env }: AgentProgram = FROM_SOURCES,
): Promise<CliResult> {
  const [path, ...words] = command;
  const child = spawn(path, [...words, ...args], { env: env ?? process.env, stdio: "pipe" });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, ...output };
}

/** The text of a configuration for the test server. */
export function agentConfigText(settings: AgentSettings, dataDir: string): string {
  return stringify({
    client: {
      server: settings.server,
      fingerprint: sha256Fingerprint(SERVER_KEY.getPublicSSH()),
      auth: `${USER}:${PASSWORD}`,
      id: "test-agent",
      data_dir: dataDir,
      ...settings.client,
    },
    connection: { keep_alive: "25s", ...settings.connection },
    logging: { log_level: "debug", ...settings.logging },
    terminal: settings.terminal ?? {},
  });
}

async function agentFiles(settings: AgentSettings): Promise<AgentFiles> {
  const directory = await tempDirectory();
  const dataDir = join(directory.path, "data");
  const configFile = join(directory.path, "rport.conf");
  await writeFile(configFile, agentConfigText(settings, dataDir), { mode: 0o600 });
  return {
    configFile,
    dataDir,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

function stateOf(
  agent: Agent,
  isWanted: (state: ConnectionState) => boolean,
): Promise<ConnectionState> {
  if (isWanted(agent.state)) return Promise.resolve(agent.state);
  const wanted = new Promise<ConnectionState>((resolve) => {
    const unwatch = agent.watch((state) => {
      if (!isWanted(state)) return;
      unwatch();
      resolve(state);
    });
  });
  return within(() => `another state of the agent than ${JSON.stringify(agent.state)}`, wanted);
}
