import type { Duplex } from "node:stream";
import type { ConnectionRequest, RemoteMessage } from "@rport/protocol/agent";
import {
  FEATURES,
  REQUESTS,
  SILENT_REQUESTS,
  secretStoredSchema,
  TUNNEL_CHANNEL,
  UNKNOWN_REQUEST,
} from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import type { RefusalReason } from "@rport/protocol/model";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { Connection } from "@rport/protocol/wire/connection";
import type { Reply } from "@rport/protocol/wire/requests";
import type { Transport } from "@rport/protocol/wire/transport";
import { type CloseReason, RequestRefused, WireError } from "@rport/protocol/wire/wireError";
import type { AgentFacts } from "../../audit/agentEvents.ts";
import type { AcceptedLogin, RefusedAdmission } from "../../credentials/admission/verdicts.ts";
import type { OfferedSecret } from "../../credentials/ports.ts";
import type { Timer } from "../../platform/clock.ts";
import { errorText } from "../../platform/log.ts";
import type { LiveSession } from "../liveSession.ts";
import { clean, recordOf } from "../registry/inventory.ts";
import { isUnexpected, type RecordChange } from "../registry/recordChange.ts";
import { answersPingTwice } from "./agentVersion.ts";
import { CAPABILITIES, OUR_FEATURES } from "./capabilities.ts";
import { provenHostKey } from "./hostKeyCheck.ts";
import { joiningOf } from "./joining.ts";
import { LongRequests } from "./longRequests.ts";
import type { SessionDeps } from "./sessionDeps.ts";
import { type Identity, type Introduction, parseIntroduction, takeOver } from "./takeOver.ts";

/** Who signed in, over what, from where. */
export interface SessionStart {
  readonly transport: Transport;
  readonly login: AcceptedLogin;
  readonly address: string;
}

/** How far a session has come. */
type State =
  | { readonly kind: "authenticated"; readonly timer: Timer }
  | { readonly kind: "registering"; readonly identity: Identity }
  | { readonly kind: "registered"; readonly identity: Identity }
  | { readonly kind: "closed"; readonly identity: Identity | undefined };

const INTRODUCTION_MS = 30_000;
/** A refused agent gets this long to read why. */
const FAREWELL_MS = 250;
/** Requests of ours an agent has to answer within. */
const ANSWER_MS = 30_000;
/** Streams one agent carries at once. */
const MAX_CHANNELS = 256;
const EMPTY = Buffer.alloc(0);
/** Refusals that come in any number when a credential was stolen. */
const FLOODS: ReadonlySet<RefusalReason> = new Set(["join-rate", "too-many-clients"]);
/** Ways an end counts against the peer. */
const VIOLATIONS: ReadonlySet<CloseReason["kind"]> = new Set(["protocol", "limit", "timeout"]);

/**
 * One connection of an agent that signed in: introduction, requests both ways, end. The server asks
 * and the agent answers; what an agent may send by itself is listed in `#answer`, and everything
 * else is refused and counted.
 */
export class AgentSession implements LiveSession {
  readonly credentialId: AuthId;
  readonly #deps: SessionDeps;
  readonly #start: SessionStart;
  readonly #connection: Connection;
  readonly #longRequests: LongRequests;
  #secretId: SecretId;
  #hostKey: string | null = null;
  #state: State;
  #heardMs: number;
  #lastHeardAtMs: number | null = null;
  #hasViolated = false;
  /** What a refusal would be for, as far as the introduction has come. */
  #stage: RefusalReason = "protocol";
  #hostname: string | undefined;

  constructor(start: SessionStart, deps: SessionDeps) {
    this.#start = start;
    this.#deps = deps;
    this.credentialId = start.login.credentialId;
    this.#secretId = start.login.secretId;
    this.#heardMs = deps.clock.monotonic();
    const timer = deps.clock.after(deps.introductionMs ?? INTRODUCTION_MS, () => {
      deps.counters.afterLogin += 1;
      this.cut("the agent did not introduce itself in time");
    });
    this.#state = { kind: "authenticated", timer };
    deps.registry.addSession(this);
    this.#connection = new Connection(start.transport, {
      maxChannels: MAX_CHANNELS,
      onRequest: (name, payload) => this.#answer(name, payload),
      onOpen: (type) => this.#refuseChannel(type),
      onFault: (error, name) =>
        deps.log.error("an agent's request failed", { request: name, reason: errorText(error) }),
    });
    this.#longRequests = new LongRequests(deps.clock, this);
    void this.#connection.closed.then((reason) => this.#ended(reason));
  }

  get clientId(): ClientId | undefined {
    return this.#identity?.id;
  }

  get secretId(): SecretId {
    return this.#secretId;
  }

  get features(): readonly string[] {
    const theirs = this.#identity?.features ?? [];
    return OUR_FEATURES.filter((feature) => theirs.includes(feature));
  }

  get hostKey(): string | null {
    return this.#hostKey;
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

  get lastHeardAtMs(): number | null {
    return this.#lastHeardAtMs;
  }

  get canBePinged(): boolean {
    const version = this.#identity?.version;
    return version === undefined || !answersPingTwice(version);
  }

  async ping(timeoutMs: number): Promise<boolean> {
    try {
      const reply = await this.#connection.request(REQUESTS.ping, EMPTY, timeoutMs);
      this.#heard();
      return reply.ok || reply.payload.toString() === UNKNOWN_REQUEST;
    } catch {
      return false;
    }
  }

  async ask(name: string, payload: object, timeoutMs: number = ANSWER_MS): Promise<Reply> {
    const reply = await this.#connection.request(name, toJson(payload), timeoutMs);
    this.#heard();
    return reply;
  }

  askLong(name: string, payload: object): Promise<Reply> {
    const isRegistered = this.#state.kind === "registered";
    return isRegistered ? this.#longRequests.ask(name, payload) : this.ask(name, payload);
  }

  openChannel(target: HostPort): Promise<Duplex> {
    return this.#connection.open(TUNNEL_CHANNEL, Buffer.from(formatHostPort(target), "latin1"));
  }

  async offerSecret(next: OfferedSecret): Promise<boolean> {
    const offer = { auth_id: this.credentialId, secret_id: next.secretId, secret: next.secret };
    try {
      const reply = await this.ask(REQUESTS.rotateSecret, offer);
      if (!reply.ok) return false;
      const stored = secretStoredSchema.safeParse(JSON.parse(reply.payload.toString("utf8")));
      return stored.success && stored.data.secret_id === next.secretId;
    } catch {
      return false;
    }
  }

  adoptSecret(secretId: SecretId): void {
    this.#secretId = secretId;
    if (this.clientId !== undefined) this.#deps.registry.adoptSecret(this.clientId, secretId);
  }

  cut(reason: string): void {
    this.#start.transport.close(reason);
  }

  get #identity(): Identity | undefined {
    return this.#state.kind === "authenticated" ? undefined : this.#state.identity;
  }

  #answer(name: string, payload: Buffer): Promise<Buffer> | Buffer {
    this.#heard();
    if (this.#state.kind === "authenticated") return this.#introduce(name, payload);
    if (name === REQUESTS.ping) return EMPTY;
    if (name === REQUESTS.requestEnded && this.#longRequests.settle(payload)) return EMPTY;
    if (SILENT_REQUESTS.some((known) => known === name)) return EMPTY;
    this.#violated("agent sent an unknown request", name);
    const isAgain = name === REQUESTS.newConnection;
    throw new RequestRefused(
      isAgain ? "unexpected connection request. please reconnect" : UNKNOWN_REQUEST,
    );
  }

  /** The first request; whatever goes wrong with it is said, and ends the connection. */
  async #introduce(name: string, payload: Buffer): Promise<Buffer> {
    try {
      if (name !== REQUESTS.newConnection) {
        throw new RequestRefused("a connection request was expected");
      }
      const remotes = await this.#register(parseIntroduction(payload));
      // The answer goes out in this turn of the event loop, the capabilities in the next.
      setImmediate(() => this.#welcome());
      return toJson(remotes);
    } catch (error) {
      const text = this.#refusalOf(error);
      // One entry, and one line of the log, stand for all of a flood: see `Floods`.
      const isOneOfMany = FLOODS.has(this.#stage);
      this.#deps.log[isOneOfMany ? "debug" : "warn"]("agent refused", {
        ...this.#who(),
        reason: text,
      });
      if (isOneOfMany) this.#deps.onFlood?.();
      else this.#deps.agentEvents?.refused(this.#facts(), text);
      this.#listRefusal();
      this.#letGo();
      this.#deps.clock.after(FAREWELL_MS, () => this.cut(text));
      throw new RequestRefused(text);
    }
  }

  async #register({ identity, request }: Introduction): Promise<RemoteMessage[]> {
    const { registry, credentials, tunnels, clock } = this.#deps;
    if (this.#state.kind === "authenticated") this.#state.timer.cancel();
    this.#state = { kind: "registering", identity };
    const { id } = identity;
    this.#hostname = request.Hostname;
    await this.#askToJoin(request);
    this.#hostKey = await provenHostKey({
      ...this.#deps,
      request,
      ask: (name, payload) => this.ask(name, payload),
    });
    this.#stage = "duplicate";
    const { address } = this.#start;
    await takeOver(registry, { id, session: this, address, hostname: clean(request.Hostname) });
    this.#stage = "busy";
    const admission = await credentials.admit(this.#start.login, id);
    if (admission.kind === "refused") this.#refuse(admission);
    this.#secretId = admission.secret.id;
    this.#requireOpen();
    const who = { id, credentialId: this.credentialId, secretId: this.#secretId };
    const { features, hostKey } = this;
    const facts = { address, features, hostKey, nowMs: clock.now() };
    const record = recordOf(request, { ...who, ...facts }, [...registry.tunnelsOf(id)]);
    if (record === undefined) throw new RequestRefused("the client's description is too large");
    this.#connection.halfClose = this.features.includes(FEATURES.halfClose);
    const change = registry.connect(record, this);
    await this.#tell(change);
    const started = await tunnels.attach(this, request.Remotes);
    if (isUnexpected(change)) await this.#remember(id);
    this.#requireOpen();
    this.#state = { kind: "registered", identity };
    return started;
  }

  /** What nobody may do unseen; resolves when it is in the audit log. */
  async #tell({ hostKey, formerCredential: former }: RecordChange): Promise<void> {
    const { log, agentEvents } = this.#deps;
    if (hostKey !== undefined) {
      log.warn("a client's host key is not the one it had", this.#who());
      await agentEvents?.hostKeyChanged(this.#facts(), hostKey);
    }
    if (former === undefined) return;
    log.warn("a client came with another credential", { ...this.#who(), former });
    await agentEvents?.credentialChanged(this.#facts(), former);
  }

  /** Before anything is done for the client: who is refused here, or waits, keeps nobody out. */
  async #askToJoin(request: ConnectionRequest): Promise<void> {
    const { clientId } = this;
    if (clientId === undefined) return;
    const { clock, credentials, log } = this.#deps;
    const joining = joiningOf({
      clientId,
      request,
      clock,
      address: this.#start.address,
      features: this.features,
      closed: this.#connection.closed,
      ask: (name, payload) => this.ask(name, payload),
      onHeld: () => log.info("agent waits for approval", this.#who()),
    });
    const refusal = await credentials.join(this.#start.login, joining).finally(() => joining.end());
    if (refusal !== undefined) this.#refuse(refusal);
    this.#requireOpen();
  }

  #refuse({ why, reason }: RefusedAdmission): never {
    this.#stage = why;
    throw new RequestRefused(reason);
  }

  /**
   * A rotation waits for the clients that are on record: one that was told it is in must be among
   * them after a crash, too. A full disk keeps nobody out; the record is written when there is room.
   */
  async #remember(id: ClientId): Promise<void> {
    const { registry, log } = this.#deps;
    await registry.saved(id).catch((error: unknown) => {
      log.warn("a new client's record is not on disk yet", {
        client: id,
        reason: errorText(error),
      });
    });
  }

  #requireOpen(): void {
    if (this.isClosed) throw new RequestRefused("the connection has ended");
  }

  #welcome(): void {
    if (this.isClosed) return;
    this.#connection.notify(REQUESTS.putCapabilities, toJson(CAPABILITIES));
    this.#deps.log.info("agent connected", this.#who());
    this.#deps.agentEvents?.joined(this.#facts());
    this.#deps.credentials.onSessionReady(this);
  }

  #refusalOf(error: unknown): string {
    this.#deps.counters.afterLogin += 1;
    if (error instanceof RequestRefused || error instanceof RportError) return error.message;
    this.#deps.log.error("an agent could not register", { reason: errorText(error) });
    return "the server could not register the client; try again later";
  }

  #listRefusal(): void {
    this.#deps.refusals?.note({
      reason: this.#stage,
      address: this.#start.address,
      authId: this.credentialId,
      clientId: this.clientId,
      hostname: this.#hostname,
    });
  }

  #refuseChannel(type: string): { readonly refuse: string } {
    this.#violated("agent tried to open a channel", type);
    return { refuse: "agents do not open channels here" };
  }

  /** Counts what an agent may not do; the log tells of the first time only. */
  #violated(message: string, what: string): void {
    this.#deps.counters.afterLogin += 1;
    if (!this.#hasViolated) {
      const shown = JSON.stringify(what.slice(0, 64));
      this.#deps.log.warn(message, { ...this.#who(), what: shown });
      this.#deps.agentEvents?.refused(this.#facts(), `${message}: ${shown}`);
    }
    this.#hasViolated = true;
  }

  #heard(): void {
    this.#heardMs = this.#deps.clock.monotonic();
    this.#lastHeardAtMs = this.#deps.clock.now();
  }

  #ended(reason: CloseReason): void {
    if (this.#state.kind === "authenticated") this.#state.timer.cancel();
    this.#state = { kind: "closed", identity: this.#identity };
    // As far as anybody can tell an agent was there until its end, unless that was its silence.
    if (reason.kind !== "timeout") this.#heard();
    if (VIOLATIONS.has(reason.kind)) this.#deps.counters.afterLogin += 1;
    this.#longRequests.end(WireError.because(reason));
    this.#letGo();
    this.#deps.log.info("agent disconnected", { ...this.#who(), reason: reason.text });
  }

  /** Nobody waits for this session any more, and it speaks for no client. */
  #letGo(): void {
    this.#deps.tunnels.detach(this);
    this.#deps.registry.end(this);
  }

  #facts(): AgentFacts {
    const { clientId, credentialId, secretId } = this;
    const record = clientId === undefined ? undefined : this.#deps.registry.get(clientId);
    const { hostname, version } = record ?? {};
    const { address } = this.#start;
    const { hostKey } = this;
    return { address, credentialId, secretId, clientId, hostname, version, hostKey };
  }

  #who() {
    return {
      client: this.clientId,
      credential: this.credentialId,
      address: this.#start.address,
    };
  }
}

function toJson(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
