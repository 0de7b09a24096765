import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import { expect } from "vitest";
import { type KeyedHost, keyedHost } from "../agents/hostKeys.ts";
import { PeerAgent } from "../agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../backend/backend.ts";
import { eventually } from "../eventually.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { FleetModel, type ModelHost, type ModelSecret } from "./fleetModel.ts";

/** The hosts and credentials that steps are about. */
export const HOSTS = ["web", "db", "mail"] as const;
export const CREDENTIALS = ["fleet", "lab"] as const;

/** What is compared: a line each, in order. */
interface Shown {
  readonly credentials: readonly string[];
  readonly clients: readonly string[];
  readonly tunnels: readonly string[];
  readonly connected: number;
}

/** A real server with its hosts, and the model of both. */
export class FleetRun implements AsyncDisposable {
  readonly model = new FleetModel(HOSTS);
  readonly #dataDir: string;
  readonly #agents = new Map<string, PeerAgent>();
  readonly #keys: ReadonlyMap<string, KeyedHost>;
  readonly #stranger: KeyedHost;
  readonly #closing: AsyncDisposableStack;
  #backend: RunningBackend;

  private constructor(backend: RunningBackend, dataDir: string, closing: AsyncDisposableStack) {
    this.#backend = backend;
    this.#dataDir = dataDir;
    this.#closing = closing;
    this.#keys = new Map(HOSTS.map((id) => [id, keyedHost(backend.fingerprint)]));
    this.#stranger = keyedHost(backend.fingerprint);
  }

  /** A new server, with the one credential that each has from its first start. */
  static async start(): Promise<FleetRun> {
    await using opened = new AsyncDisposableStack();
    const { path } = opened.use(await tempDirectory());
    const backend = await startBackend({ dataDir: path });
    const run = new FleetRun(backend, path, opened.move());
    for (const { id } of await backend.api("listCredentials")) run.model.credentials.add(id);
    return run;
  }

  async create(id: string): Promise<void> {
    if (this.model.credentials.has(id)) return await this.#refused(() => this.#make(id));
    const { secret_id, password } = await this.#make(id);
    this.model.credentials.add(id);
    this.model.add(id, { id: secret_id, value: password, host: undefined });
  }

  async addSecret(authId: string): Promise<void> {
    const add = () => this.#backend.api("addSecret", { params: { authId }, body: {} });
    if (!this.model.credentials.has(authId)) return await this.#refused(add);
    const { secret_id, password } = await add();
    this.model.add(authId, { id: secret_id, value: password, host: undefined });
  }

  /** The host comes with a secret that there is or was, and gets in exactly when the model says so. */
  async connect(host: ModelHost, credential: string, secret: ModelSecret): Promise<void> {
    const joining = PeerAgent.join(this.#login(host, credential, secret.value));
    if (!this.model.letsIn(host, secret)) {
      await expect(joining).rejects.toThrow();
      return;
    }
    const before = this.#agents.get(host.id);
    this.#agents.set(host.id, await joining);
    this.model.enter(host, credential, secret);
    await before?.closed;
  }

  /** Somebody else comes as the host, with a secret that is good. */
  async steal(host: ModelHost, credential: string, secret: ModelSecret): Promise<void> {
    const { url, user, password } = this.#login(host, credential, secret.value);
    const introduction = this.#stranger.introduction({ ID: host.id });
    const onRequest = this.#stranger.onRequest(host.id);
    await using thief = await PeerAgent.signIn({ url, user, password, introduction, onRequest });
    const end = thief.introduce().then(
      () => "in",
      () => "out",
    );
    const waits = async () => {
      const joins = await this.#backend.api("listJoins");
      return joins.some(({ client_id: id }) => id === host.id);
    };
    if (host.isOnline || host.isRevoked) expect(await end).toBe("out");
    else await eventually(async () => expect(await waits()).toBe(true));
    thief.close();
    expect(await end).toBe("out");
  }

  async cut(host: ModelHost): Promise<void> {
    this.#agents.get(host.id)?.close();
    host.isOnline = false;
  }

  /** Rotates, until every host that is connected has moved, and ends what they had before. */
  async rotate(authId: string): Promise<void> {
    const params = { authId };
    const body = { grace_seconds: 3_600 };
    const start = () => this.#backend.api("rotateCredential", { params, body });
    if (!this.model.credentials.has(authId)) return await this.#refused(start);
    const before = [...this.model.secretsOf(authId)];
    await start();
    const online = [...this.model.hosts.values()].filter(
      ({ isOnline, credential }) => isOnline && credential === authId,
    );
    await eventually(() => {
      for (const { secret } of online) expect(before).not.toContain(secret);
    });
    await eventually(async () => {
      const { rotation } = await this.#backend.api("getCredential", { params });
      if (rotation !== null) expect(rotation.moved).toBe(online.length);
    });
    const { rotation } = await this.#backend.api("getCredential", { params });
    if (rotation !== null) await this.#backend.api("finishRotation", { params });
    this.model.end(before);
  }

  async revokeSecret(authId: string, secret: ModelSecret): Promise<void> {
    const params = { authId, secretId: secret.id };
    await this.#backend.api("revokeSecret", { params });
    this.model.end([secret]);
  }

  async revokeHost(host: ModelHost): Promise<void> {
    await this.#backend.api("revokeClient", { params: { clientId: host.id } });
    this.model.revoke(host);
  }

  async allowHost(host: ModelHost): Promise<void> {
    await this.#backend.api("allowClient", { params: { clientId: host.id } });
    host.isRevoked = false;
  }

  async remove(authId: string): Promise<void> {
    const query = { force: "true" };
    const remove = () => this.#backend.api("deleteCredential", { params: { authId }, query });
    if (!this.model.credentials.delete(authId)) return await this.#refused(remove);
    await remove();
    this.model.end(this.model.secretsOf(authId));
  }

  async openTunnel(host: ModelHost, port: string): Promise<void> {
    const query = { remote: port, check_port: "0" } as const;
    const params = { clientId: host.id };
    const open = () => this.#backend.api("createTunnel", { params, query });
    const isThere = [...host.tunnels.values()].includes(port);
    if (!host.isOnline || isThere) return await this.#refused(open);
    host.tunnels.set((await open()).id, port);
  }

  async closeTunnel(host: ModelHost, tunnelId: string): Promise<void> {
    const params = { clientId: host.id, tunnelId };
    await this.#backend.api("deleteTunnel", { params, query: { force: "true" } });
    host.tunnels.delete(tunnelId);
  }

  /** The server ends and starts again with what it has on disk. */
  async restart(): Promise<void> {
    await this.#backend[Symbol.asyncDispose]();
    this.#backend = await startBackend({ dataDir: this.#dataDir });
    this.model.restart();
  }

  /** The server is as the model says; waits as long as something that was cut may take to end. */
  async check(): Promise<void> {
    await eventually(async () => {
      expect(await this.#shown()).toEqual(this.#expected());
      for (const { id, isOnline } of this.model.hosts.values()) {
        const isOpen = this.#agents.get(id)?.connection.transport.isClosed === false;
        expect([id, isOpen]).toEqual([id, isOnline]);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#backend[Symbol.asyncDispose]();
    for (const agent of this.#agents.values()) await agent[Symbol.asyncDispose]();
    await this.#closing.disposeAsync();
  }

  #expected(): Shown {
    const known = [...this.model.hosts.values()].filter(({ credential }) => credential);
    const online = known.filter(({ isOnline }) => isOnline);
    return {
      credentials: [...this.model.credentials].sort(),
      clients: known
        .map((host) => [host.id, host.credential, host.isOnline, host.isRevoked].join(" "))
        .sort(),
      tunnels: online
        .flatMap(({ id, tunnels }) =>
          [...tunnels].map(([tunnel, port]) => `${id}/${tunnel} ${port}`),
        )
        .sort(),
      connected: online.length,
    };
  }

  async #shown(): Promise<Shown> {
    const { api } = this.#backend;
    const [credentials, listed, tunnels, status] = await Promise.all([
      api("listCredentials"),
      api("listClients"),
      api("listTunnels"),
      api("getStatus"),
    ]);
    // The list has the fields of RPort's, which are fewer.
    const clients = await Promise.all(
      listed.map(({ id }) => api("getClient", { params: { clientId: String(id) } })),
    );
    return {
      credentials: credentials.map(({ id }) => id).sort(),
      clients: clients
        .map((client) => {
          const isOnline = client.connection_state === "connected";
          const isRevoked = client.revoked_at !== null;
          return [client.id, client.client_auth_id, isOnline, isRevoked].join(" ");
        })
        .sort(),
      tunnels: tunnels.map(({ client_id, id, rport }) => `${client_id}/${id} ${rport}`).sort(),
      connected: status.clients_connected,
    };
  }

  async #refused(act: () => Promise<unknown>): Promise<void> {
    await expect(act()).rejects.toBeInstanceOf(RportError);
  }

  #make(id: string) {
    return this.#backend.api("createCredential", { body: { id } });
  }

  #login(host: ModelHost, credential: string, password: string) {
    const key = this.#keys.get(host.id) ?? this.#stranger;
    const Features = [FEATURES.hostKey, FEATURES.rotateSecret];
    const prove = key.onRequest(host.id);
    return {
      url: this.#backend.url.replace("http", "ws"),
      user: credential,
      password,
      introduction: key.introduction({ ID: host.id, SessionID: `${host.id} runs`, Features }),
      onRequest: (name: string, payload: Buffer) =>
        name === REQUESTS.rotateSecret ? this.#store(host, payload) : prove(name, payload),
    };
  }

  /** The host keeps the secret that it is handed. */
  #store(host: ModelHost, payload: Buffer): Buffer {
    const { auth_id: credential, secret_id: id, secret: value } = JSON.parse(payload.toString());
    host.secret = this.model.add(credential, { id, value, host: host.id });
    return Buffer.from(JSON.stringify({ secret_id: id }));
  }
}
