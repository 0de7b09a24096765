import { expect } from "vitest";
import {
  type AgentProgram,
  type AgentSettings,
  respawnAgent,
  type SpawnedAgent,
  spawnAgent,
} from "../agents/agent.ts";
import { type RunningBackend, type StartOptions, startBackend } from "../backend/backend.ts";
import { agentOf, makeFleet } from "../backend/fleet.ts";
import { Members } from "../backend/member.ts";
import { eventually } from "../eventually.ts";
import { BadLine } from "../faults/badLine.ts";
import { HOST_ID } from "./scene.ts";
import { TerminalViewer, type TerminalViewerOptions } from "./terminalViewer.ts";

const params = { clientId: HOST_ID };
/** An agent comes back within this, on a busy machine, too. */
export const BACK_MS = 20_000;
const LINES = 20_000;
/** What `COUNT` writes: no line twice, none left out. */
export const COUNTED = Array.from({ length: LINES }, (_, at) => `row ${at + 1}\r\n`).join("");
/** Has a shell write for a while. */
export const COUNT = `stty -echo; i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo row $i; done; echo all of $((1 + 1))\r`;

/** A real agent whose terminals run `/bin/sh` as whoever runs the tests. */
export function settingsOf(settings: AgentSettings, server = settings.server): AgentSettings {
  return { ...settings, server, terminal: { enabled: true, shell: "/bin/sh" } };
}

/** A backend and a real agent in a process of its own, which reaches it over a line that can be cut. */
export class RealScene implements AsyncDisposable {
  readonly backend: RunningBackend;
  readonly members: Members;
  readonly line: BadLine;
  agent: SpawnedAgent;
  readonly #program: AgentProgram;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    facts: Pick<RealScene, "backend" | "members" | "line" | "agent">,
    program: AgentProgram,
    resources: AsyncDisposableStack,
  ) {
    this.backend = facts.backend;
    this.members = facts.members;
    this.line = facts.line;
    this.agent = facts.agent;
    this.#program = program;
    this.#resources = resources;
  }

  /** The agent is connected, and may be seen by the group `Operators`. */
  static async open(program: AgentProgram, options: StartOptions = {}): Promise<RealScene> {
    await using opened = new AsyncDisposableStack();
    const backend = opened.use(await startBackend(options));
    const password = await makeFleet({ call: backend.api });
    const line = opened.use(await BadLine.open(backend.port, Math.random));
    const { url, fingerprint } = backend;
    const settings = agentOf({ url, fingerprint }, password, HOST_ID);
    const server = `http://127.0.0.1:${line.port}`;
    const agent = opened.use(await spawnAgent(settingsOf(settings, server), program));
    await online(() => backend.api("getClient", { params }));
    const members = new Members(backend);
    await members.group("Operators", "terminal");
    await backend.api("setClientAcl", { params, body: { allowed_user_groups: ["Operators"] } });
    return new RealScene({ backend, members, line, agent }, program, opened.move());
  }

  /** A viewer that is attached, as the person of local mode unless a token is given. */
  async viewer(options: Partial<TerminalViewerOptions> = {}): Promise<TerminalViewer> {
    return this.#resources.use(await TerminalViewer.attach(this.#with(options)));
  }

  /** The same, which may be refused. */
  async asking(options: Partial<TerminalViewerOptions> = {}): Promise<TerminalViewer> {
    return this.#resources.use(await TerminalViewer.open(this.#with(options)));
  }

  /** The agent, which has ended, is started once more, and is connected. */
  async respawn(): Promise<void> {
    this.agent = this.#resources.use(respawnAgent(this.agent, this.#program));
    await this.online();
  }

  /** Resolves when the agent is connected. */
  async online(): Promise<void> {
    await online(() => this.backend.api("getClient", { params }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }

  #with(options: Partial<TerminalViewerOptions>): TerminalViewerOptions {
    const { url, token } = this.backend;
    return { url, token, clientId: HOST_ID, ...options };
  }
}

/** Resolves when a client is connected. */
export async function online(
  ask: () => Promise<{ readonly connection_state: string }>,
): Promise<void> {
  await eventually(async () => {
    expect((await ask()).connection_state).toBe("connected");
  }, BACK_MS);
}

/** The process of a terminal's shell. */
export async function shellOf(viewer: TerminalViewer): Promise<number> {
  viewer.type("echo pid=$$=\r");
  await viewer.shows(/pid=\d+=/);
  return Number(/pid=(\d+)=/.exec(viewer.text)?.[1]);
}

/** Whether there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What one viewer after the other has shown: a fast program is done before a slow test cuts anything. */
export function shown(...viewers: readonly TerminalViewer[]): string {
  return Buffer.concat(viewers.map(({ bytes }) => bytes)).toString();
}

/** What came of `COUNT`. */
export function counted(...viewers: readonly TerminalViewer[]): string {
  const text = shown(...viewers);
  const from = text.indexOf("row 1\r\n");
  return text.slice(from, text.indexOf("all of 2", from));
}
