import { randomUUID } from "node:crypto";
import { RportError } from "@rport/protocol/errors";
import { machineHint } from "@rport/protocol/hostKey";
import { guarded } from "@rport/protocol/wire/contain";
import { guardedClock } from "@rport/protocol/wire/guardedClock";
import type { TransportLimits } from "@rport/protocol/wire/transport";
import { ChannelTable } from "./channels/channelTable.ts";
import { readAttributes } from "./config/attributes.ts";
import { type AgentConfig, secretsIn } from "./config/config.ts";
import { CredentialStore } from "./config/credentialStore.ts";
import { ConnectionLoop } from "./connection/connection.ts";
import { type ConnectionState, INITIAL_STATE } from "./connection/connectionState.ts";
import { proxyFor, proxySecrets } from "./connection/proxy.ts";
import { connectionRequest, type Identity } from "./connection/registration.ts";
import type { SessionDeps } from "./connection/session.ts";
import { readHost } from "./host/host.ts";
import { type HostKey, openHostKey } from "./host/hostKey.ts";
import type { Inventory } from "./machine/inventory.ts";
import { machineId, SYSTEM_DOORS } from "./machine/machineId.ts";
import type { Platform } from "./machine/platform.ts";
import type { Shells } from "./machine/shells.ts";
import type { Clock } from "./platform/clock.ts";
import { loggedFault } from "./platform/faults.ts";
import type { Log } from "./platform/log.ts";
import { StateWriter } from "./state/stateFile.ts";
import { type FoundPty, findPty as findPtyHere } from "./terminal/findPty.ts";
import { Floods } from "./terminal/floods.ts";
import { openTerminals } from "./terminal/openTerminals.ts";
import type { Terminals } from "./terminal/terminals.ts";
import { Traffic } from "./terminal/traffic.ts";
import { Dialer } from "./tunnels/dial.ts";
import { Lookups } from "./tunnels/lookups.ts";
import type { Lookup } from "./tunnels/target.ts";

/** What people are told while the server asks somebody about this host. */
const HELD = "this host waits for approval on the server";

/** What an agent is made of. */
export interface AgentDeps {
  readonly config: AgentConfig;
  readonly log: Log;
  readonly clock: Clock;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** The machine's name resolution; how often it is asked at once is looked after here. */
  readonly resolve: Lookup;
  readonly platform: Pick<Platform, "dataDir" | "idReaders" | "inventory" | "listeners" | "shells">;
  /** How terminals are opened, where they are allowed; what this runtime has unless given. */
  readonly findPty?: (shells: Shells) => FoundPty;
  /** What connections allow, where it differs from the usual. */
  readonly transportLimits?: Partial<TransportLimits>;
}

/** What an agent has from its beginning on. */
interface AgentParts {
  readonly identity: Identity;
  readonly hostKey: HostKey | undefined;
  readonly terminals: Terminals;
  readonly dialer: Dialer;
  readonly resolve: Lookup;
}

/** A running agent: connected to its server, or on the way there, until it is stopped. */
export class Agent implements AsyncDisposable {
  readonly identity: Identity;
  readonly #log: Log;
  readonly #loop: ConnectionLoop;
  readonly #stateFile: StateWriter;
  readonly #stop = new AbortController();
  readonly #terminals: Terminals;
  readonly #watchers = new Set<(state: ConnectionState) => void>();
  readonly #ended: Promise<void>;
  #state: ConnectionState = INITIAL_STATE;
  /** What was logged as the reason for being offline; told once, not at every attempt. */
  #toldReason = "";

  private constructor(deps: AgentDeps, parts: AgentParts) {
    const { log, clock } = deps;
    const { identity, terminals } = parts;
    this.#terminals = terminals;
    this.identity = identity;
    this.#log = log;
    const dataDir = dataDirOf(deps);
    this.#stateFile = new StateWriter({ dataDir, clock, log, terminals: () => terminals.now });
    terminals.onChange(() => this.#stateFile.renew());
    this.#loop = this.#createLoop(deps, parts);
    this.#stateFile.set("initialized", "connecting");
    this.#ended = this.#loop.run(this.#stop.signal);
  }

  /** Starts an agent. Rejects with `BAD_REQUEST` when it has no id to register under. */
  static async start(given: AgentDeps): Promise<Agent> {
    const { config, log } = given;
    const deps = { ...given, clock: guardedClock(given.clock, loggedFault(log, "a timer")) };
    for (const secret of secretsIn(config)) log.hide(secret);
    for (const secret of proxySecrets(process.env)) log.hide(secret);
    // A proxy that is none would be refused at each attempt: no retry can mend that.
    for (const server of config.servers) proxyFor(new URL(server), config.proxy);
    if (config.ignored.length > 0) {
      log.info("these settings have no effect in this agent", { settings: config.ignored });
    }
    if (config.unknown.length > 0) {
      log.warn("these settings are not known and have no effect", { settings: config.unknown });
    }
    const machine = await machineId(deps.platform.idReaders(SYSTEM_DOORS));
    const clientId = clientIdFor(config, machine);
    const hostKey = await openHostKey(dataDirOf(deps), log);
    const identity = {
      clientId,
      sessionId: randomUUID(),
      hostKey: hostKey?.publicKey,
      machineHint: machine === undefined ? undefined : machineHint(machine),
    };
    const resolve = new Lookups(deps).find;
    const dialer = new Dialer({ rules: config.tunnelAllowed, resolve, log });
    const terminals = await terminalsOf(deps, dialer);
    return new Agent(deps, { identity, hostKey, terminals, dialer, resolve });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Calls back after every change of state; the answer ends that. */
  watch(watcher: (state: ConnectionState) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Connects again at once. */
  reconnect(): void {
    this.#loop.reconnect();
  }

  /** Says goodbye to the server and resolves when everything is closed. */
  async stop(): Promise<void> {
    await this.#terminals.stop();
    this.#stop.abort();
    await this.#ended;
    await this.#stateFile.close("the agent was stopped");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #createLoop(deps: AgentDeps, parts: AgentParts): ConnectionLoop {
    const { clientId } = this.identity;
    const { config, log, clock, random, transportLimits = {} } = deps;
    const { hostKey, terminals, dialer, resolve } = parts;
    const session: SessionDeps = {
      transportLimits,
      config,
      log,
      clock,
      random,
      resolve,
      listeners: deps.platform.listeners,
      credentials: new CredentialStore(config, clock),
      proveHostKey:
        hostKey &&
        (({ nonce, serverFingerprint }) => hostKey.prove({ nonce, serverFingerprint, clientId })),
      channels: new ChannelTable({ dialer, terminals }),
      terminals,
      onHeld: () => this.#held(),
    };
    return new ConnectionLoop({
      session,
      registration: () => this.#registration(config, deps.platform.inventory),
      onState: guarded(loggedFault(log, "a change of state"), (state: ConnectionState) =>
        this.#changed(state),
      ),
    });
  }

  async #registration(config: AgentConfig, inventory: Inventory): Promise<Buffer> {
    const [host, attributes, terminal] = await Promise.all([
      readHost(inventory),
      readAttributes(config, this.#log),
      this.#terminals.offered(),
    ]);
    const { identity } = this;
    const mayHaveTerminals = this.#terminals.arePossible;
    const registrant = { config, attributes, identity, host, terminal, mayHaveTerminals };
    return connectionRequest(registrant);
  }

  /** A server may say it any number of times, and at any time. */
  #held(): void {
    if (this.#state.kind === "online" || this.#toldReason === HELD) return;
    this.#log.warn("not connected", { reason: HELD });
    this.#toldReason = HELD;
    this.#stateFile.set("reconnecting", HELD);
  }

  #changed(state: ConnectionState): void {
    this.#state = state;
    this.#report(state);
    for (const watcher of this.#watchers) watcher(state);
  }

  #report(state: ConnectionState): void {
    if (state.kind === "online") {
      this.#toldReason = "";
      this.#log.info("connected", { server: state.server, client: this.identity.clientId });
      this.#stateFile.set("connected", `connected to ${state.server}`);
    }
    if (state.kind !== "waiting") return;
    const { kind, text } = state.reason;
    const fields = { reason: text, kind, nextAttemptInMs: state.delayMs };
    if (text === this.#toldReason) this.#log.debug("still not connected", fields);
    else this.#log.warn("not connected", fields);
    this.#toldReason = text;
    this.#stateFile.set("reconnecting", text);
  }
}

function terminalsOf(deps: AgentDeps, tunnels: Dialer): Promise<Terminals> {
  const { config, platform, clock, log } = deps;
  const { findPty = (shells: Shells) => findPtyHere(shells, dataDirOf(deps)) } = deps;
  const { terminal: settings } = config;
  const floods = new Floods({ clock, traffic: new Traffic(clock, () => tunnels.bytes) });
  return openTerminals({ settings, shells: platform.shells, findPty, clock, log, floods });
}

function dataDirOf({ config, platform }: AgentDeps): string {
  return config.dataDir || platform.dataDir;
}

function clientIdFor(config: AgentConfig, machine: string | undefined): string {
  if (config.id !== "" || !config.usesSystemId) return config.id;
  if (machine !== undefined) return machine;
  const where = `${config.file}: client.id is empty`;
  throw new RportError("BAD_REQUEST", `${where}, and this machine has no id of its own.`);
}
