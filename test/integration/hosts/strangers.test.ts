import { connect } from "node:net";
import { REQUESTS } from "@rport/protocol/agent";
import { describe, expect, it } from "vitest";
import { type KeyedHost, keyedHost } from "../../support/agents/hostKeys.ts";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { endOf, isAway, oneJoin } from "../../support/backend/joins.ts";
import { FakeClock } from "../../support/clock.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { exchange, tcpServer } from "../../support/wire/wireTunnel.ts";

const HOST = "db-prod-1";
const params = { clientId: HOST };
const OWNER = "production";
const LAB = "lab";
const NOT_APPROVED = /is let in when somebody approves it/;

type Login = Pick<PeerAgentOptions, "url" | "user" | "password">;

const clientOf = (backend: RunningBackend) => backend.api("getClient", { params });

/** What an agent of that credential signs in with, at another backend than it was made at, too. */
async function makeLogin(backend: RunningBackend, id: string): Promise<Login> {
  const { password } = await backend.api("createCredential", { body: { id } });
  return { url: backend.url.replace("http", "ws"), user: id, password };
}

/** A host that comes as `db-prod-1` with this key; without one, as RPort's own client. */
function come(login: Login, key?: KeyedHost, change: Partial<PeerAgentOptions> = {}) {
  return PeerAgent.signIn({
    ...login,
    introduction: key === undefined ? { ID: HOST } : key.introduction({ ID: HOST }),
    onRequest: key?.onRequest(HOST),
    ...change,
  });
}

/** Comes, is let in, and goes. */
async function visit(backend: RunningBackend, login: Login, key?: KeyedHost): Promise<void> {
  const agent = await come(login, key);
  await agent.introduce();
  await agent[Symbol.asyncDispose]();
  await isAway(backend, HOST);
}

async function approve(backend: RunningBackend): Promise<void> {
  const { id: joinId } = await oneJoin(backend);
  await backend.api("approveJoin", { params: { joinId } });
}

/** Whether somebody listens there. */
function isOpen(port: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

const auditOf = (backend: RunningBackend, application: string) =>
  backend.api("listAudit", { query: { sort: "-seq", "filter[application]": application } });

describe("S-02: a stolen secret of one credential, and a host of another one that is away", () => {
  it("gives neither its record nor its tunnels; the host itself comes back at once", async () => {
    await using backend = await startBackend();
    const [owner, lab] = [await makeLogin(backend, OWNER), await makeLogin(backend, LAB)];
    const [host, thief] = [keyedHost(backend.fingerprint), keyedHost(backend.fingerprint)];
    await using target = await tcpServer((socket) => socket.resume().end("the database"));
    const first = await come(owner, host);
    await first.introduce();
    const query = { remote: String(target.port) };
    const { lport } = await backend.api("createTunnel", { params, query });
    await first[Symbol.asyncDispose]();
    await isAway(backend, HOST);
    const before = await clientOf(backend);

    await using stranger = await come(lab, thief);
    const end = endOf(stranger.introduce());
    expect(await oneJoin(backend)).toMatchObject({
      credential_id: LAB,
      client_id: HOST,
      reason: "key-changed",
      host_key: thief.fingerprint,
      known_host_key: host.fingerprint,
      known_credential_id: OWNER,
    });
    expect(await clientOf(backend)).toEqual(before);
    expect(await isOpen(lport)).toBe(false);

    await using back = await come(owner, host);
    expect(await back.introduce()).toHaveLength(1);
    const answer = await exchange(Number(lport), Buffer.from("hello"), "stay");
    expect(String(answer)).toBe("the database");
    expect(await end).toMatch(/does not wait for approval any more/);
    expect(await backend.api("listJoins")).toEqual([]);
    const now = { client_auth_id: OWNER, host_key: host.fingerprint, host_key_change: null };
    expect(await clientOf(backend)).toMatchObject(now);
    expect(stranger.heardOf(REQUESTS.rotateSecret)).toEqual([]);
  });

  it("lets nobody be first after a restart of the backend, however many come", async () => {
    await using directory = await tempDirectory();
    const dataDir = directory.path;
    await using stack = new AsyncDisposableStack();
    const first = stack.use(await startBackend({ dataDir }));
    const logins = [await makeLogin(first, OWNER), await makeLogin(first, LAB)] as const;
    const host = keyedHost(first.fingerprint);
    await visit(first, logins[0], host);
    await first[Symbol.asyncDispose]();

    const backend = stack.use(await startBackend({ dataDir }));
    const url = backend.url.replace("http", "ws");
    const [owner, lab] = [Object.assign(logins[0], { url }), Object.assign(logins[1], { url })];
    const strangers: PeerAgent[] = [];
    for (const login of [owner, lab, lab, owner, lab, lab]) {
      const key: KeyedHost | undefined =
        strangers.length % 2 === 0 ? keyedHost(backend.fingerprint) : undefined;
      strangers.push(stack.use(await come(login, key)));
    }
    const ends = strangers.map((stranger) => endOf(stranger.introduce()));
    await using back = await come(owner, host);
    expect(await back.introduce()).toEqual([]);
    for (const end of ends) expect(await end).not.toBe("in");
    const { fingerprint } = host;
    const now = { client_auth_id: OWNER, host_key: fingerprint, host_key_change: null };
    expect(await clientOf(backend)).toMatchObject(now);
  });

  it("is told of as a duplicate, and asks nobody, while the host is connected", async () => {
    await using backend = await startBackend();
    const [owner, lab] = [await makeLogin(backend, OWNER), await makeLogin(backend, LAB)];
    await using host = await come(owner, keyedHost(backend.fingerprint));
    await host.introduce();
    for (const key of [keyedHost(backend.fingerprint), undefined]) {
      await using stranger = await come(lab, key);
      await expect(stranger.introduce()).rejects.toThrow("client is already connected");
    }
    expect(await backend.api("listJoins")).toEqual([]);
    expect((await clientOf(backend)).duplicate).toMatchObject({ count: 2 });
  });

  it("neither has the host asked nor cut while it is connected, whose line may be busy", async () => {
    const clock = new FakeClock();
    await using backend = await startBackend({ clock });
    const [owner, lab] = [await makeLogin(backend, OWNER), await makeLogin(backend, LAB)];
    const key = keyedHost(backend.fingerprint);
    const proves = key.onRequest(HOST);
    const onRequest: PeerAgentOptions["onRequest"] = (name, payload) =>
      name === REQUESTS.ping ? new Promise<Buffer>(() => {}) : proves(name, payload);
    await using host = await come(owner, key, { onRequest });
    await host.introduce();
    await using stranger = await come(lab);
    await expect(stranger.introduce()).rejects.toThrow("client is already connected");
    clock.advance(20_000);
    expect(await host.ask(REQUESTS.ping)).toMatchObject({ ok: true });
    expect(host.heardOf(REQUESTS.ping)).toEqual([]);
  });

  it("is told first what speaks against its secret, and is no duplicate then", async () => {
    await using backend = await startBackend();
    const [owner, lab] = [await makeLogin(backend, OWNER), await makeLogin(backend, LAB)];
    const limits = { params: { authId: LAB }, body: { limits: { max_clients: 1 } } };
    await backend.api("updateCredential", limits);
    await using host = await come(owner, keyedHost(backend.fingerprint));
    await host.introduce();
    await using _only = await PeerAgent.join({ ...lab, introduction: { ID: "lab-1" } });
    await using stranger = await come(lab);
    await expect(stranger.introduce()).rejects.toThrow(/may have/);
    expect(await clientOf(backend)).toMatchObject({ duplicate: null });
    expect(await backend.api("listRefusals")).toMatchObject([{ reason: "too-many-clients" }]);
  });

  it("cannot use an approval that was given before the host came back", async () => {
    const clock = new FakeClock();
    await using backend = await startBackend({ clock });
    const [owner, lab] = [await makeLogin(backend, OWNER), await makeLogin(backend, LAB)];
    const host = keyedHost(backend.fingerprint);
    await visit(backend, owner, host);
    await using stranger = await come(lab);
    const end = endOf(stranger.introduce());
    await oneJoin(backend);
    clock.advance(20_000);
    expect(await end).toMatch(NOT_APPROVED);
    await approve(backend);
    await visit(backend, owner, host);
    await using again = await come(lab);
    void endOf(again.introduce());
    expect(await oneJoin(backend)).toMatchObject({ reason: "key-missing" });
  });
});

describe("a host that was set up anew, with the same credential", () => {
  it("waits, is known by its new key once that was approved, and the audit log tells by whom", async () => {
    await using backend = await startBackend();
    const owner = await makeLogin(backend, OWNER);
    const [before, after] = [keyedHost(backend.fingerprint), keyedHost(backend.fingerprint)];
    await visit(backend, owner, before);
    await using agent = await come(owner, after);
    const end = endOf(agent.introduce());
    expect(await oneJoin(backend)).toMatchObject({
      reason: "key-changed",
      known_credential_id: null,
    });
    await approve(backend);
    expect(await end).toBe("in");
    const change = { kind: "changed", before: before.fingerprint };
    const known = { host_key: after.fingerprint, host_key_change: change };
    expect(await clientOf(backend)).toMatchObject(known);
    const [entry] = await auditOf(backend, "client.join");
    expect(entry).toMatchObject({ action: "approve", username: "local", client_id: HOST });
    expect(JSON.parse(entry?.request ?? "")).toMatchObject({
      reason: "key-changed",
      host_key: after.fingerprint,
      known_host_key: before.fingerprint,
    });
    expect(await auditOf(backend, "client.key")).toHaveLength(1);
    await agent[Symbol.asyncDispose]();
    await isAway(backend, HOST);
    await visit(backend, owner, after);
    await using former = await come(owner, before);
    void endOf(former.introduce());
    expect(await oneJoin(backend)).toMatchObject({ known_host_key: after.fingerprint });
  });

  it("stays out for an hour when that was denied, and leaves the record as it was", async () => {
    await using backend = await startBackend();
    const owner = await makeLogin(backend, OWNER);
    const anew = keyedHost(backend.fingerprint);
    await visit(backend, owner, keyedHost(backend.fingerprint));
    const record = await clientOf(backend);
    await using agent = await come(owner, anew);
    const end = endOf(agent.introduce());
    const { id: joinId } = await oneJoin(backend);
    await backend.api("denyJoin", { params: { joinId } });
    expect(await end).toMatch(/not approved/);
    await using again = await come(owner, anew);
    await expect(again.introduce()).rejects.toThrow(/not approved/);
    expect(await clientOf(backend)).toEqual(record);
  });

  it("comes in by itself once the record was deleted", async () => {
    await using backend = await startBackend();
    const owner = await makeLogin(backend, OWNER);
    const anew = keyedHost(backend.fingerprint);
    await visit(backend, owner, keyedHost(backend.fingerprint));
    await using agent = await come(owner, anew);
    const end = endOf(agent.introduce());
    await oneJoin(backend);
    await backend.api("deleteClient", { params });
    expect(await end).toBe("in");
    expect(await clientOf(backend)).toMatchObject({ host_key: anew.fingerprint });
  });

  it("does not come in with the name of a key that it does not have", async () => {
    await using backend = await startBackend();
    const owner = await makeLogin(backend, OWNER);
    const [host, thief] = [keyedHost(backend.fingerprint), keyedHost(backend.fingerprint)];
    await visit(backend, owner, host);
    const introduction = host.introduction({ ID: HOST });
    await using liar = await come(owner, thief, { introduction });
    await expect(liar.introduce()).rejects.toThrow("the proof of the host key is wrong");
    expect(await clientOf(backend)).toMatchObject({ connection_state: "disconnected" });
  });
});

describe("a host with the key that its record knows", () => {
  it("comes in with another credential, too; that is in the audit log", async () => {
    await using backend = await startBackend();
    const [owner, lab] = [await makeLogin(backend, OWNER), await makeLogin(backend, LAB)];
    const host = keyedHost(backend.fingerprint);
    await visit(backend, owner, host);
    await visit(backend, lab, host);
    expect(await clientOf(backend)).toMatchObject({ client_auth_id: LAB });
    const query = { sort: "-seq", "filter[application]": "client", "filter[action]": "update" };
    const [entry] = await backend.api("listAudit", { query });
    expect(JSON.parse(entry?.request ?? "{}")).toMatchObject({ before: OWNER });
  });

  it("takes the place of one that was let in without it, though that one lives", async () => {
    await using backend = await startBackend();
    const owner = await makeLogin(backend, OWNER);
    const host = keyedHost(backend.fingerprint);
    await visit(backend, owner, host);
    await using without = await come(owner);
    const end = endOf(without.introduce());
    await approve(backend);
    expect(await end).toBe("in");
    const missing = { kind: "missing", before: host.fingerprint };
    expect(await clientOf(backend)).toMatchObject({ host_key_change: missing });
    const pings = without.heardOf(REQUESTS.ping).length;

    await using back = await come(owner, host);
    expect(await back.introduce()).toEqual([]);
    await without.closed;
    expect(without.heardOf(REQUESTS.ping)).toHaveLength(pings);
    expect(await clientOf(backend)).toMatchObject({ host_key_change: null, duplicate: null });
    await back[Symbol.asyncDispose]();
    await isAway(backend, HOST);
    await using again = await come(owner);
    void endOf(again.introduce());
    expect(await oneJoin(backend)).toMatchObject({ reason: "key-missing" });
  });
});

describe("a host without a key, as RPort's own client is", () => {
  it("keeps its id within its credential, and may get a key there", async () => {
    await using backend = await startBackend();
    const owner = await makeLogin(backend, OWNER);
    await visit(backend, owner);
    await visit(backend, owner);
    expect(await clientOf(backend)).toMatchObject({ host_key: null, host_key_change: null });
    const host = keyedHost(backend.fingerprint);
    await visit(backend, owner, host);
    const change = { kind: "added", before: null };
    const known = { host_key: host.fingerprint, host_key_change: change };
    expect(await clientOf(backend)).toMatchObject(known);
    expect(await auditOf(backend, "client.key")).toHaveLength(1);
  });

  it("C-40: waits with another credential, is answered after 20 s, and is in at its next try", async () => {
    const clock = new FakeClock();
    await using backend = await startBackend({ clock });
    const [owner, lab] = [await makeLogin(backend, OWNER), await makeLogin(backend, LAB)];
    await visit(backend, owner);
    await using agent = await come(lab);
    const end = endOf(agent.introduce());
    expect(await oneJoin(backend)).toMatchObject({
      reason: "other-credential",
      host_key: null,
      known_host_key: null,
      known_credential_id: OWNER,
    });
    clock.advance(20_000);
    expect(await end).toMatch(/comes with another credential/);
    expect(await clientOf(backend)).toMatchObject({ client_auth_id: OWNER });
    await approve(backend);
    await visit(backend, lab);
    expect(await clientOf(backend)).toMatchObject({ client_auth_id: LAB });
    expect(await auditOf(backend, "client.join")).toHaveLength(1);
  });
});
