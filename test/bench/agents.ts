import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "smol-toml";
import { eventually } from "../support/eventually.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import type { BenchBackend, Login } from "./backend.ts";
import { Program } from "./program.ts";

const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** A way to run the agent. */
export interface AgentRuntime {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

/** From its sources, on the Node that runs the bench. */
export const SOURCES: AgentRuntime = {
  name: "node main.ts",
  command: [process.execPath, pathOf("agent/src/main.ts")],
};
/** The bundle that hosts without an executable get. */
export const BUNDLE: AgentRuntime = {
  name: "node agent.cjs",
  command: [process.execPath, pathOf("dist/agent/agent.cjs")],
};
/** What most hosts get. */
export const EXECUTABLE: AgentRuntime = {
  name: "Bun executable",
  command: [pathOf("dist/agent/rport-agent-linux-x64")],
};

/** The built ones that are there. */
export function builtRuntimes(): readonly AgentRuntime[] {
  return [BUNDLE, EXECUTABLE].filter(({ command }) => existsSync(command.at(-1) ?? ""));
}

/** A server that agents of a bench connect to. */
export type AgentPlace = Pick<BenchBackend, "agentUrl" | "fingerprint" | "api">;

/** Who an agent of a bench is. */
export interface AgentWish {
  readonly login: Login;
  readonly clientId: string;
  /** Keys of `[terminal]`; undefined: it has none. */
  readonly terminal?: Readonly<Record<string, unknown>>;
}

/** What an agent uses, in bytes, as the kernel counts it. */
export interface AgentMemory {
  readonly residentBytes: number;
  /** Not backed by a file, so only swapping would give it back. */
  readonly anonymousBytes: number;
}

/** One agent in a process of its own. */
export class BenchAgent implements AsyncDisposable {
  readonly clientId: string;
  readonly configFile: string;
  readonly #program: Program<Record<string, never>>;
  readonly #directory: AsyncDisposable;

  private constructor(
    clientId: string,
    configFile: string,
    owned: {
      readonly program: Program<Record<string, never>>;
      readonly directory: AsyncDisposable;
    },
  ) {
    this.clientId = clientId;
    this.configFile = configFile;
    this.#program = owned.program;
    this.#directory = owned.directory;
  }

  /** Starts one and waits until the backend lists it as connected. */
  static async start(
    runtime: AgentRuntime,
    backend: AgentPlace,
    { login, clientId, terminal }: AgentWish,
  ): Promise<BenchAgent> {
    const directory = await tempDirectory();
    const dataDir = join(directory.path, "data");
    await mkdir(dataDir);
    const configFile = join(directory.path, "rport.conf");
    const client = {
      server: backend.agentUrl,
      fingerprint: backend.fingerprint,
      auth: `${login.authId}:${login.secret}`,
      id: clientId,
      data_dir: dataDir,
    };
    const config = stringify(terminal === undefined ? { client } : { client, terminal });
    await writeFile(configFile, config, { mode: 0o600 });
    const [program, ...words] = runtime.command;
    const args = [...words, "run", "-c", configFile];
    const started = await Program.start<Record<string, never>>({ program, args, hasPort: false });
    const agent = new BenchAgent(clientId, configFile, { program: started, directory });
    try {
      await eventually(() => agent.#assertConnected(backend), 15_000);
      return agent;
    } catch (error) {
      await agent[Symbol.asyncDispose]();
      throw new Error(`${runtime.name}: ${String(error)}\n${started.output}`);
    }
  }

  /** What it uses now. */
  async memory(): Promise<AgentMemory> {
    const text = await readFile(`/proc/${this.#program.pid}/smaps_rollup`, "utf8");
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN) * 1_024;
    return { residentBytes: field("Rss"), anonymousBytes: field("Anonymous") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.#directory[Symbol.asyncDispose]();
  }

  async #assertConnected(backend: AgentPlace): Promise<void> {
    const { connection_state } = await backend.api("getClient", {
      params: { clientId: this.clientId },
    });
    if (connection_state !== "connected") throw new Error("the agent is not connected");
  }
}
