import { FEATURES } from "@rport/protocol/agent";
import type { AuthId, ClientId, SecretId } from "@rport/protocol/ids";
import { clientIdSchema } from "@rport/protocol/ids";
import type { AcceptedLogin } from "../../../backend/src/credentials/admission/verdicts.ts";
import type { Credentials } from "../../../backend/src/credentials/credentials.ts";
import type {
  ClientRef,
  OfferedSecret,
  SessionHandle,
  SessionPort,
} from "../../../backend/src/credentials/ports.ts";

/** What an agent keeps on its own disk, across its restarts and the server's. */
export class FakeAgent {
  readonly clientId: ClientId;
  readonly authId: AuthId;
  password: string;
  /** A Go client does not list it. */
  isMovable = true;
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
export class FakeSession implements SessionHandle {
  readonly agent: FakeAgent;
  readonly credentialId: AuthId;
  secretId: SecretId;
  cutReason: string | undefined;
  readonly #clients: FakeClients;

  constructor(clients: FakeClients, agent: FakeAgent, login: AcceptedLogin) {
    this.#clients = clients;
    this.agent = agent;
    this.credentialId = login.credentialId;
    this.secretId = login.secretId;
  }

  get clientId(): ClientId {
    return this.agent.clientId;
  }
  get features(): readonly string[] {
    return this.agent.isMovable ? [FEATURES.rotateSecret] : [];
  }
  offerSecret(next: OfferedSecret): Promise<boolean> {
    return this.agent.onOffer(this.agent, next);
  }
  adoptSecret(secretId: SecretId): void {
    this.secretId = secretId;
    this.#clients.record(this);
  }
  cut(reason: string): void {
    this.cutReason = reason;
    this.#clients.sessions.delete(this);
  }
}

/** Clients and their sessions, as the registry would keep them. */
export class FakeClients implements SessionPort {
  readonly sessions = new Set<FakeSession>();
  readonly records = new Map<ClientId, { authId: AuthId; secretId: SecretId }>();
  readonly revoked = new Set<ClientId>();
  /** Go clients; they stay so while they are away. */
  readonly unmovable = new Set<ClientId>();

  /** Signs in and registers as the agent door does. Throws the reason of a refusal. */
  async connect(credentials: Credentials, agent: FakeAgent): Promise<FakeSession> {
    const login = await credentials.login(agent.authId, agent.password, "192.0.2.7");
    if (login.kind === "refused") throw new Error(login.reason);
    const session = new FakeSession(this, agent, login);
    this.sessions.add(session);
    const admission = await credentials.admit(login, agent.clientId);
    if (admission.kind === "refused") {
      this.sessions.delete(session);
      throw new Error(admission.reason);
    }
    this.record(session);
    credentials.onClientRecorded(session.credentialId, session.clientId);
    credentials.onSessionReady(session);
    return session;
  }

  record(session: FakeSession): void {
    const { credentialId: authId, secretId } = session;
    this.records.set(session.clientId, { authId, secretId });
    if (!session.agent.isMovable) this.unmovable.add(session.clientId);
  }
  ofCredential(id: AuthId): readonly SessionHandle[] {
    return [...this.sessions].filter((session) => session.credentialId === id);
  }
  countOf(id: AuthId): { total: number; connected: number } {
    const own = [...this.records].filter(([, record]) => record.authId === id);
    const connected = own.filter(([clientId]) => this.sessionsOf(clientId).length > 0);
    return { total: own.length, connected: connected.length };
  }
  clientsOf(id: AuthId): readonly ClientRef[] {
    const own = [...this.records].filter(([, record]) => record.authId === id);
    return own.flatMap(([clientId]) => this.clientOf(clientId) ?? []);
  }
  clientOf(id: ClientId): ClientRef | undefined {
    const record = this.records.get(id);
    if (record === undefined) return undefined;
    return {
      id,
      credentialId: record.authId,
      name: id,
      connected: this.sessionsOf(id).length > 0,
      tunnels: 0,
      secretId: record.secretId,
      features: this.unmovable.has(id) ? [] : [FEATURES.rotateSecret],
      isRevoked: this.revoked.has(id),
    };
  }
  sessionsOf(id: ClientId): readonly SessionHandle[] {
    return [...this.sessions].filter((session) => session.clientId === id);
  }
  setRevoked(id: ClientId, isRevoked: boolean): Promise<void> {
    if (isRevoked) this.revoked.add(id);
    else this.revoked.delete(id);
    return Promise.resolve();
  }
  purge(id: AuthId): Promise<void> {
    for (const [clientId, record] of this.records) {
      if (record.authId === id) this.records.delete(clientId);
    }
    return Promise.resolve();
  }
}
