import { FEATURES } from "@rport/protocol/agent";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import { clientIdSchema } from "@rport/protocol/ids";
import type { LiveSession } from "../../../backend/src/clients/liveSession.ts";
import { LocalPresence } from "../../../backend/src/clients/registry/presence.ts";
import {
  ClientRegistry,
  type ClientRegistryDeps,
} from "../../../backend/src/clients/registry/registry.ts";
import type { AcceptedLogin } from "../../../backend/src/credentials/admission/verdicts.ts";
import type { Credentials } from "../../../backend/src/credentials/credentials.ts";
import type { OfferedSecret } from "../../../backend/src/credentials/ports.ts";
import { keyless } from "./newcomer.ts";
import { clientRecord } from "./records.ts";

/** What an agent keeps on its own disk, across its restarts and the server's. */
export class FakeAgent {
  readonly clientId: ClientId;
  readonly authId: AuthId;
  password: string;
  /** A Go client does not list it. */
  isShiftable = true;
  /** What the agent does with an offer; by default it stores it and says so. */
  onOffer: (agent: FakeAgent, offer: OfferedSecret) => Promise<boolean> = (agent, offer) => {
    agent.password = offer.secret;
    return Promise.resolve(true);
  };

  constructor(id: string, authId: AuthId, password: string) {
    this.clientId = clientIdSchema.parse(id);
    this.authId = authId;
    this.password = password;
  }
}

/** One agent for each name, and each of them with the same password. */
export function fakeAgents<const Names extends readonly string[]>(
  names: Names,
  credential: { readonly id: AuthId; readonly password: string },
): { [Index in keyof Names]: FakeAgent } {
  const { id, password } = credential;
  const agents = names.map((name) => new FakeAgent(name, id, password));
  return agents as { [Index in keyof Names]: FakeAgent };
}

/** A connection of a `FakeAgent`; what happened to it can be looked at. */
export class FakeSession implements LiveSession {
  readonly agent: FakeAgent;
  readonly credentialId: AuthId;
  secretId: SecretId;
  cutReason: string | undefined;
  readonly agentSessionId = "";
  readonly hostKey = undefined;
  readonly silentMs = 0;
  readonly lastHeardAtMs = undefined;
  readonly end = undefined;
  readonly canBePinged = true;
  readonly hasTunnelRules = true;
  readonly #clients: TestClients;

  constructor(clients: TestClients, agent: FakeAgent, login: AcceptedLogin) {
    this.#clients = clients;
    this.agent = agent;
    this.credentialId = login.credentialId;
    this.secretId = login.secretId;
  }

  get clientId(): ClientId {
    return this.agent.clientId;
  }
  get features(): readonly string[] {
    return this.agent.isShiftable ? [FEATURES.rotateSecret] : [];
  }
  get isClosed(): boolean {
    return this.cutReason !== undefined;
  }
  get gone(): Promise<void> {
    return Promise.resolve();
  }
  offerSecret(next: OfferedSecret): Promise<boolean> {
    return this.agent.onOffer(this.agent, next);
  }
  adoptSecret(secretId: SecretId): void {
    this.secretId = secretId;
    this.#clients.registry.adoptSecret(this.clientId, secretId);
  }
  notify(): void {}

  dismiss(reason: string): void {
    this.cut(reason);
  }

  cut(reason: string): void {
    if (this.isClosed) return;
    this.cutReason = reason;
    this.#clients.ended(this);
  }
  ask = notHere;
  askLong = notHere;
  openChannel = notHere;
  ping = notHere;
  isHeardWithin = notHere;
}

function notHere(): Promise<never> {
  return Promise.reject(new Error("a made-up agent answers nothing"));
}

/** Made-up agents before the real registry and the real presence. */
export class TestClients {
  /** Those that are open. */
  readonly sessions = new Set<FakeSession>();
  #presence = new LocalPresence<LiveSession>();
  #registry: ClientRegistry | undefined;
  #store: ClientRegistryDeps["store"] | undefined;

  /** A new process: the records are those on disk, and nobody is connected. */
  async open(deps: Omit<ClientRegistryDeps, "presence">): Promise<void> {
    this.sessions.clear();
    this.#store = deps.store;
    this.#presence = new LocalPresence();
    this.#registry = await ClientRegistry.open({
      store: deps.store,
      presence: this.#presence,
      clock: deps.clock,
      log: deps.log,
      touch: deps.touch,
      limits: deps.limits,
    });
  }

  get presence(): LocalPresence<LiveSession> {
    return this.#presence;
  }

  get registry(): ClientRegistry {
    if (this.#registry === undefined) throw new Error("the clients are not open");
    return this.#registry;
  }

  /** The ids of the clients that have a record. */
  get recorded(): ClientId[] {
    return [...this.registry.records()].map(({ id }) => id);
  }

  /** Signs in and registers as the agent door does. Throws the reason of a refusal. */
  async connect(credentials: Credentials, agent: FakeAgent): Promise<FakeSession> {
    const login = await credentials.login(agent.authId, agent.password, "192.0.2.7");
    if (login.kind === "refused") throw new Error(login.why);
    const session = new FakeSession(this, agent, login);
    const { clientId } = session;
    this.sessions.add(session);
    this.#presence.enter(session);
    this.#presence.locate(clientId)?.cut("replaced");
    this.#presence.claim(clientId, session);
    const admission = await credentials.admit(login, keyless(clientId));
    if (admission.kind === "refused") {
      session.cut("refused");
      throw new Error(admission.text);
    }
    this.registry.connect(recordOf(session), session);
    await this.registry.save(clientId);
    credentials.onSessionReady(session);
    return session;
  }

  /** There is a record of a client that is away, and that stood on this secret. */
  async record(id: ClientId, stood: { authId: AuthId; secretId: SecretId }): Promise<void> {
    const record = clientRecord({
      id,
      name: id,
      client_auth_id: stood.authId,
      secret_id: stood.secretId,
      features: [FEATURES.rotateSecret],
      disconnected_at: "2029-12-31T23:00:00Z",
    });
    await this.#store?.commit([{ kind: "seen", record }]);
  }

  /** The record of a client that is away is lost. */
  async lose(id: ClientId, credential: AuthId): Promise<void> {
    await this.#store?.commit([{ kind: "forget", client: id, credential }]);
  }

  /** A connection has ended; the registry hears of it a moment later, as of a real one. */
  ended(session: FakeSession): void {
    const { registry } = this;
    this.sessions.delete(session);
    queueMicrotask(() => registry.disconnect(session));
  }
}

function recordOf({ clientId: id, credentialId, secretId, features }: FakeSession) {
  return clientRecord({
    id,
    name: id,
    client_auth_id: credentialId,
    secret_id: secretId,
    features: [...features],
  });
}
