import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ALL_FEATURES } from "@rport/protocol/agent";
import { tempDirectory } from "../tempDirectory.ts";
import { type AgentProgram, type SpawnedAgent, spawnAgent } from "./agent.ts";
import { type AgentServer, type ServerSession, startAgentServer } from "./agentServer.ts";

/** What an agent asked for that is no registration. */
export interface Asked {
  readonly name: string;
  readonly body: unknown;
}

/** An agent in a process of its own that has terminals, and the server it is connected to. */
export interface TerminalHost extends AsyncDisposable {
  readonly agent: SpawnedAgent;
  readonly server: AgentServer;
  readonly session: ServerSession;
  /** What it told the server, in order. */
  readonly asked: readonly Asked[];
}

/** Starts one with keys of `[terminal]` over terminals that are allowed and run `/bin/sh`. */
export async function startTerminalHost(
  program: AgentProgram,
  terminal: Readonly<Record<string, unknown>> = {},
): Promise<TerminalHost> {
  const asked: Asked[] = [];
  const server = await startAgentServer({
    features: ALL_FEATURES,
    onRequest: (name, body) => void asked.push({ name, body }),
  });
  const settings = {
    server: server.url,
    terminal: { enabled: true, shell: "/bin/sh", ...terminal },
  };
  const agent = await spawnAgent(settings, program);
  const session = await server.next();
  return {
    agent,
    server,
    session,
    asked,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A script that a terminal runs as its shell; gone at the end of its scope. */
export async function shellScript(text: string): Promise<AsyncDisposable & { path: string }> {
  const directory = await tempDirectory();
  const path = join(directory.path, "shell");
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  await chmod(directory.path, 0o755);
  return { path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}
