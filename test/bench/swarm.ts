import { EventEmitter, once } from "node:events";
import net from "node:net";
import { ChannelTable } from "../../agent/src/channels/channelTable.ts";
import { parseConfig } from "../../agent/src/config/config.ts";
import { CredentialStore } from "../../agent/src/config/credentialStore.ts";
import { ConnectionLoop } from "../../agent/src/connection/connection.ts";
import type { ConnectionState } from "../../agent/src/connection/connectionState.ts";
import { SYSTEM_CLOCK } from "../../agent/src/platform/clock.ts";
import type { Log } from "../../agent/src/platform/log.ts";
import { Dialer } from "../../agent/src/tunnels/dial.ts";
import { SYSTEM_LOOKUP } from "../../agent/src/tunnels/target.ts";
import { noTerminals } from "../support/agents/noTerminals.ts";
import { serve, sharedNowMs } from "./childPort.ts";
import { introductionOf } from "./introduction.ts";

/** Where a swarm connects, and as whom. */
export interface SwarmTarget {
  readonly server: string;
  readonly fingerprint: string;
  readonly authId: string;
  readonly secret: string;
}

/** Agents to add: `count` of them, numbered from `from`, so many on their way at once. */
export interface SwarmOrder extends SwarmTarget {
  readonly from: number;
  readonly count: number;
  readonly parallel: number;
  /**
   * How long a connection may be silent before the agent asks whether it lives, as `rport.conf` has
   * it. Left out: longer than a measurement, so that none of it is ours.
   */
  readonly keepAlive?: string;
}

/** What happened in a swarm so far. Times are on the clock that all processes share. */
export interface SwarmState {
  readonly online: number;
  /** Connections that were lost after the registration. */
  readonly lost: number;
  /** Attempts that failed, by why. */
  readonly failures: Readonly<Record<string, number>>;
  /** Agents that were handed another secret. */
  readonly rotated: number;
  /** When `online`, and `rotated`, last changed. */
  readonly onlineChangedMs: number;
  readonly rotatedChangedMs: number;
}

/** What to wait for: an exact number of agents that are online, or that have moved. */
export interface SwarmGoal {
  readonly online?: number;
  readonly rotated?: number;
  readonly timeoutMs: number;
}

/** Agents of a spread swarm come from so many addresses of 127.1.0.0/16. */
const ADDRESSES = 250;

/** Longer than any measurement. */
const KEEP_ALIVE = "10m";

const NO_LOG: Log = { error() {}, warn() {}, info() {}, debug() {}, hide() {}, hideOffered() {} };

/** Keeps the secret in memory: a thousand files would measure this machine's disk. */
class MemoryCredentials extends CredentialStore {
  #now: CredentialStore["current"];
  readonly #onReplaced: () => void;

  constructor(credential: CredentialStore["current"], onReplaced: () => void) {
    super({ file: "", fingerprint: "", credential }, SYSTEM_CLOCK);
    this.#now = credential;
    this.#onReplaced = onReplaced;
  }

  override get current(): CredentialStore["current"] {
    return this.#now;
  }

  override async replaceSecret(secret: string): Promise<void> {
    this.#now = { authId: this.#now.authId, secret };
    this.#onReplaced();
  }
}

/**
 * Agents in one process: the real connection loop with its real back-off, and nothing around it.
 */
class Swarm {
  readonly #changes = new EventEmitter();
  readonly #agents: { readonly stop: () => void; readonly ended: Promise<void> }[] = [];
  readonly #channels = new ChannelTable({
    dialer: new Dialer({ rules: [], resolve: SYSTEM_LOOKUP, log: NO_LOG }),
    terminals: noTerminals(),
  });
  readonly #failures = new Map<string, number>();
  #online = 0;
  #lost = 0;
  #rotated = 0;
  #onlineChangedMs = 0;
  #rotatedChangedMs = 0;

  get state(): SwarmState {
    return {
      online: this.#online,
      lost: this.#lost,
      rotated: this.#rotated,
      onlineChangedMs: this.#onlineChangedMs,
      rotatedChangedMs: this.#rotatedChangedMs,
      failures: Object.fromEntries(this.#failures),
    };
  }

  /** Resolves when so many are online, or have moved, or the time is over: then whether it was reached. */
  async until(goal: SwarmGoal): Promise<boolean> {
    const signal = AbortSignal.timeout(goal.timeoutMs);
    const isReached = () =>
      (goal.online ?? this.#online) === this.#online &&
      (goal.rotated ?? this.#rotated) === this.#rotated;
    while (!isReached() && !signal.aborted) {
      await once(this.#changes, "changed", { signal }).catch(() => {});
    }
    return isReached();
  }

  /** Adds agents; resolves when each has been online once. */
  async add(order: SwarmOrder): Promise<void> {
    const numbers = Array.from({ length: order.count }, (_, n) => order.from + n);
    const config = parseConfig(configText(order), "swarm");
    const worker = async () => {
      for (let next = numbers.shift(); next !== undefined; next = numbers.shift()) {
        await this.#start(config, next);
      }
    };
    await Promise.all(Array.from({ length: order.parallel }, worker));
  }

  async stop(): Promise<void> {
    const agents = this.#agents.splice(0);
    for (const agent of agents) agent.stop();
    await Promise.all(agents.map(({ ended }) => ended));
    this.#online = 0;
  }

  #start(config: ReturnType<typeof parseConfig>, number: number): Promise<void> {
    const stop = new AbortController();
    return new Promise((resolve) => {
      const loop = new ConnectionLoop({
        session: {
          config,
          log: NO_LOG,
          clock: SYSTEM_CLOCK,
          random: Math.random,
          resolve: SYSTEM_LOOKUP,
          channels: this.#channels,
          terminals: noTerminals(),
          credentials: new MemoryCredentials(config.credential, () => this.#moved()),
        },
        registration: async () => introductionOf(number),
        onState: this.#watcher(resolve),
      });
      this.#agents.push({ stop: () => stop.abort(), ended: loop.run(stop.signal) });
    });
  }

  #watcher(onFirst: () => void): (state: ConnectionState) => void {
    let wasOnline = false;
    return (state) => {
      const isOnline = state.kind === "online";
      if (isOnline !== wasOnline) {
        this.#online += isOnline ? 1 : -1;
        this.#onlineChangedMs = sharedNowMs();
        this.#changes.emit("changed");
      }
      if (state.kind === "waiting") this.#failed(state, wasOnline);
      wasOnline = isOnline;
      if (isOnline) onFirst();
    };
  }

  #failed({ reason }: Extract<ConnectionState, { kind: "waiting" }>, wasOnline: boolean): void {
    if (wasOnline) this.#lost += 1;
    else {
      const why = reason.kind === "lost" ? reason.text.slice(0, 60) : reason.kind;
      this.#failures.set(why, (this.#failures.get(why) ?? 0) + 1);
    }
  }

  #moved(): void {
    this.#rotated += 1;
    this.#rotatedChangedMs = sharedNowMs();
    this.#changes.emit("changed");
  }
}

function configText(order: SwarmOrder): string {
  const { server, fingerprint, authId, secret, keepAlive = KEEP_ALIVE } = order;
  const quote = JSON.stringify;
  return [
    "[client]",
    `server = ${quote(server)}`,
    `fingerprint = ${quote(fingerprint)}`,
    `auth = ${quote(`${authId}:${secret}`)}`,
    "[connection]",
    `keep_alive = ${quote(keepAlive)}`,
  ].join("\n");
}

/** From now on each connection of this process comes from another address, as real hosts' do. */
function spreadAddresses(): void {
  const connect = net.connect.bind(net);
  let count = 0;
  const spread = (options: net.NetConnectOpts) => {
    count += 1;
    return connect({ ...options, localAddress: `127.1.0.${1 + (count % ADDRESSES)}` });
  };
  Object.assign(net, { connect: spread });
}

const swarm = new Swarm();
if (process.argv.includes("--spread")) spreadAddresses();

const handlers = {
  add: (order: SwarmOrder) => swarm.add(order),
  state: () => swarm.state,
  async until(goal: SwarmGoal): Promise<SwarmState & { readonly isReached: boolean }> {
    const isReached = await swarm.until(goal);
    return { ...swarm.state, isReached };
  },
  stop: () => swarm.stop(),
};

/** What a swarm can be asked. */
export type SwarmHandlers = typeof handlers;

serve(handlers);
