import { fileURLToPath } from "node:url";
import type { Login } from "../bench/backend.ts";
import { Program } from "../bench/program.ts";
import type { SwarmHandlers, SwarmState } from "../bench/swarm.ts";

const SCRIPT = fileURLToPath(new URL("../bench/swarm.ts", import.meta.url));
/**
 * A line may break without a word to the agent: the packet that would say so is lost as well. It
 * finds out by asking, within this and the 30 s that an answer may take, which is sooner than the
 * judge's patience ends.
 */
const KEEP_ALIVE = "15s";
/** Agents on their way at once. */
const PARALLEL = 8;

/** Where agents find their server. */
export interface SwarmPlace {
  readonly server: string;
  readonly fingerprint: string;
}

/** Agents with one credential in a process of their own: the real connection loop of each. */
export class ChaosSwarm implements AsyncDisposable {
  readonly login: Login;
  readonly #program: Program<SwarmHandlers>;
  #count = 0;

  private constructor(login: Login, program: Program<SwarmHandlers>) {
    this.login = login;
    this.#program = program;
  }

  /** `prefix`: the words of a command that runs it elsewhere, as in a namespace. */
  static async start(login: Login, prefix: readonly string[] = []): Promise<ChaosSwarm> {
    const [program, ...args] = [...prefix, process.execPath, SCRIPT];
    // Only agents of this machine itself may choose from its loopback addresses.
    const flags = prefix.length === 0 ? ["--spread"] : [];
    const options = { program: program ?? process.execPath, args: [...args, ...flags] };
    return new ChaosSwarm(login, await Program.start<SwarmHandlers>(options));
  }

  /** How many agents there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds agents with numbers from `from` on; resolves when each has been in once. */
  async add(place: SwarmPlace, from: number, count: number): Promise<void> {
    this.#count += count;
    const { server, fingerprint } = place;
    const { authId, secret } = this.login;
    const target = { server, fingerprint, authId, secret };
    const order = { from, count, parallel: PARALLEL, keepAlive: KEEP_ALIVE };
    await this.#program.ask("add", Object.assign(target, order));
  }

  state(): Promise<SwarmState> {
    return this.#program.ask("state");
  }

  /** Whether all of them are in, at the latest after `timeoutMs`; with what happened so far. */
  allOnline(timeoutMs: number): Promise<SwarmState & { readonly isReached: boolean }> {
    return this.#program.ask("until", { online: this.#count, timeoutMs });
  }

  /** Whether so many were handed another secret, at the latest after `timeoutMs`. */
  async areMoved(count: number, timeoutMs: number): Promise<boolean> {
    return (await this.#program.ask("until", { rotated: count, timeoutMs })).isReached;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
