import type { Duplex } from "node:stream";
import { ALL_FEATURES, REQUESTS, type RequestEnded } from "@rport/protocol/agent";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { ConnectionEnd } from "@rport/protocol/model";
import type { HeldTerminal } from "@rport/protocol/terminal/terminal";
import { Connection } from "@rport/protocol/wire/connection";
import { guarded } from "@rport/protocol/wire/contain";
import { toJsonPayload } from "@rport/protocol/wire/jsonPayload";
import type { Reply } from "@rport/protocol/wire/requests";
import type { Transport } from "@rport/protocol/wire/transport";
import { PACKET_SLACK_BYTES } from "@rport/protocol/wire/transport/transportDeps";
import { type CloseReason, RequestRefused, WireError } from "@rport/protocol/wire/wireError";
import type { AcceptedLogin } from "../../credentials/admission/verdicts.ts";
import type { OfferedSecret } from "../../credentials/ports.ts";
import type { LimitName } from "../../limits/limitTable.ts";
import type { Sharer } from "../../limits/sharer.ts";
import { loggedFault } from "../../platform/faults.ts";
import { errorText } from "../../platform/log.ts";
import { namesOf } from "./agentFacts.ts";
import { type AgentVersion, canBePinged, hasTunnelRules, messageLimitOf } from "./agentVersion.ts";
import type { ArrivingSession } from "./arrivingSession.ts";
import { connectionEnd } from "./connectionEnd.ts";
import type { Identity } from "./firstRequest.ts";
import { FROM_AGENTS } from "./fromAgents.ts";
import { Introduction } from "./introduction.ts";
import { LifeSigns } from "./lifeSigns.ts";
import { LongRequests } from "./longRequests.ts";
import { Notices, type NoticeTarget } from "./notices.ts";
import type { SessionDeps } from "./sessionDeps.ts";
import { offeredSecret } from "./storedSecret.ts";
import { type ChannelGoal, TunnelChannels } from "./tunnelChannels.ts";
import { Violations } from "./violations.ts";

/** Who signed in, over what, from where. */
export interface SessionStart {
  readonly transport: Transport;
  readonly login: AcceptedLogin;
  readonly address: string;
}

/** Requests of ours an agent has to answer within. */
const ANSWER_MS = 30_000;
const EMPTY = Buffer.alloc(0);
const NOTICES = new Notices(FROM_AGENTS);
/**
 * One connection of an agent that signed in: requests both ways, and its end. The server asks
 * and the agent answers; what an agent may say by itself is listed in `FROM_AGENTS`, and everything
 * else is refused and counted.
 */
export class AgentSession implements ArrivingSession, NoticeTarget {
  readonly credentialId: AuthId;
  readonly #deps: SessionDeps;
  readonly #start: SessionStart;
  readonly #connection: Connection;
  readonly #introduction: Introduction;
  readonly #violations: Violations;
  /** From the first on: most agents are never asked any. */
  #longRequests: LongRequests | undefined;
  #channels: TunnelChannels | undefined;
  #secretId: SecretId;
  #heardMs: number;
  #lastHeardAtMs: number | undefined;
  #end: ConnectionEnd | undefined;
  readonly #lifeSigns: LifeSigns;

  constructor(start: SessionStart, deps: SessionDeps) {
    this.#start = start;
    this.#deps = deps;
    this.credentialId = start.login.credentialId;
    this.#secretId = start.login.secretId;
    this.#heardMs = deps.clock.monotonic();
    this.#introduction = new Introduction({ session: this, login: start.login }, deps);
    this.#violations = new Violations(this, deps);
    deps.presence.enter(this);
    this.#connection = new Connection(start.transport, {
      maxChannels: deps.limits.max("channels_per_agent"),
      onRequest: (name, payload) => this.#answer(name, payload),
      onOpen: (type) => this.#refuseChannel(type),
      onFault: (error, name) =>
        deps.log.error("an agent's request failed", { request: name, reason: errorText(error) }),
    });
    this.#lifeSigns = new LifeSigns({
      transport: start.transport,
      clock: deps.clock,
      ping: (timeoutMs) => this.#connection.request(REQUESTS.ping, EMPTY, timeoutMs),
      onHeard: () => this.#heard(),
    });
    const onFault = loggedFault(deps.log, "the end of an agent's session");
    void this.#connection.closed.then(guarded(onFault, (reason) => this.#ended(reason)));
  }

  get address(): string {
    return this.#start.address;
  }

  get closed(): Promise<unknown> {
    return this.#start.transport.closed;
  }

  get gone(): Promise<void> {
    return this.#start.transport.closed.then(() => this.#deps.farewells.done());
  }

  get halfClose(): boolean {
    return this.#connection.halfClose;
  }

  set halfClose(isKnown: boolean) {
    this.#connection.halfClose = isKnown;
  }

  get clientId(): ClientId | undefined {
    return this.#identity?.id;
  }

  get secretId(): SecretId {
    return this.#secretId;
  }

  get features(): readonly string[] {
    const theirs = this.#identity?.features ?? [];
    return ALL_FEATURES.filter((feature) => theirs.includes(feature));
  }

  get hostKey(): string | undefined {
    return this.#introduction.hostKey;
  }

  get agentSessionId(): string {
    return this.#identity?.agentSessionId ?? "";
  }

  get isClosed(): boolean {
    return this.#start.transport.isClosed;
  }

  get silentMs(): number {
    return this.#deps.clock.monotonic() - this.#heardMs;
  }

  get end(): ConnectionEnd | undefined {
    return this.#end;
  }

  get lastHeardAtMs(): number | undefined {
    return this.#lastHeardAtMs;
  }

  get version(): AgentVersion | undefined {
    return this.#identity?.version;
  }

  get canBePinged(): boolean {
    return canBePinged(this);
  }

  get hasTunnelRules(): boolean {
    return hasTunnelRules(this);
  }

  ping(timeoutMs: number): Promise<boolean> {
    return this.#lifeSigns.ping(timeoutMs);
  }

  isHeardWithin(ms: number): Promise<boolean> {
    return this.#lifeSigns.within(ms);
  }

  async ask(name: string, payload: object, timeoutMs: number = ANSWER_MS): Promise<Reply> {
    const reply = await this.#connection.request(name, toJsonPayload(payload), timeoutMs);
    this.#heard();
    return reply;
  }

  askLong(name: string, payload: object, user?: Sharer): Promise<Reply> {
    if (!this.#introduction.isOver) return this.ask(name, payload);
    const { clock, limits } = this.#deps;
    this.#longRequests ??= new LongRequests({ session: this, clock, limits });
    return this.#longRequests.ask(name, payload, user);
  }

  openChannel(to: ChannelGoal, user?: Sharer): Promise<Duplex> {
    this.#channels ??= new TunnelChannels({
      session: this,
      connection: this.#connection,
      deps: this.#deps,
    });
    return this.#channels.open(to, user);
  }

  offerSecret(next: OfferedSecret): Promise<boolean> {
    return offeredSecret(this, next);
  }

  get expectsEnds(): boolean {
    return (this.#longRequests?.count ?? 0) > 0;
  }

  requestEnded(ended: RequestEnded): boolean {
    return this.#longRequests?.settle(ended) ?? false;
  }

  terminalEnded(held: HeldTerminal): boolean {
    return this.#deps.terminals.ended(this, held);
  }

  adoptSecret(secretId: SecretId): void {
    this.#secretId = secretId;
    if (this.clientId !== undefined) this.#deps.registry.adoptSecret(this.clientId, secretId);
  }

  admitted(secretId: SecretId): void {
    this.#secretId = secretId;
  }

  notify(name: string, payload: object): void {
    this.#connection.notify(name, toJsonPayload(payload));
  }

  cut(reason: string): void {
    const { transport } = this.#start;
    // What it says to that is read when there is time: others may have to be cut first.
    transport.pause();
    transport.close(reason);
  }

  dismiss(reason: string): void {
    this.#deps.terminals.endAll(this);
    this.cut(reason);
  }

  allowMessages(): void {
    const bytes = this.#deps.limits.max(this.#messageLimit);
    this.#start.transport.allowPackets(bytes + PACKET_SLACK_BYTES);
  }

  letGo(): void {
    // Whatever else fails: who has gone must not stay listed as connected.
    try {
      this.#deps.terminals.left(this);
      this.#deps.tunnels.detach(this);
    } finally {
      this.#deps.registry.disconnect(this);
    }
  }

  get #identity(): Identity | undefined {
    return this.#introduction.identity;
  }

  get #messageLimit(): LimitName {
    return messageLimitOf(this.#introduction.isOver, this.features);
  }

  #answer(name: string, payload: Buffer): Promise<Buffer> | Buffer {
    this.#heard();
    if (this.#identity === undefined) {
      return this.#introduction.answer(name, payload).then(toJsonPayload);
    }
    const fault = NOTICES.take(name, payload, this);
    if (fault === undefined) return EMPTY;
    this.#violations.add(fault.line, name);
    throw new RequestRefused(fault.text);
  }

  #refuseChannel(type: string): { readonly refuse: string } {
    this.#violations.add("agent tried to open a channel", type);
    return { refuse: "agents do not open channels here" };
  }

  #heard(): void {
    this.#heardMs = this.#deps.clock.monotonic();
    this.#lastHeardAtMs = this.#deps.clock.now();
  }

  #ended(reason: CloseReason): void {
    this.#introduction.stop();
    try {
      this.#settle(reason);
    } finally {
      this.#deps.farewells.run(() => this.#leave(reason));
    }
  }

  #leave(reason: CloseReason): void {
    this.#end = connectionEnd(reason);
    this.#start.transport.resume();
    this.letGo();
    this.#deps.log.info("agent disconnected", { ...namesOf(this), reason: reason.text });
  }

  #settle(reason: CloseReason): void {
    // As far as anybody can tell an agent was there until its end, unless that was its silence.
    if (reason.kind !== "timeout") this.#heard();
    this.#violations.countEnd(reason);
    if (reason.kind === "size") this.#deps.limits.bite(this.#messageLimit, namesOf(this));
    this.#longRequests?.end(WireError.because(reason));
  }
}
