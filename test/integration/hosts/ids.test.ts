import type { Change } from "@rport/protocol/events";
import { describe, expect, it } from "vitest";
import { isLetIn, PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { endOf, oneJoin } from "../../support/backend/joins.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { exchange, tcpServer } from "../../support/wire/wireTunnel.ts";

/** Ids that a careless program takes for one another, or for something of its own. */
const ODD_IDS = [
  "web",
  "WEB",
  " web",
  "web ",
  "w\u00E9b",
  "we\u0301b",
  "\uFF57eb",
  "web/1",
  "web\\1",
  "web%2F1",
  "web?x=1#y",
  "...",
  "null",
  "__proto__",
  "constructor",
  "toString",
  "\u{1F5A5}",
];

const GREETING = "hello from behind the client";
const greeting = async (lport: string): Promise<string> =>
  String(await exchange(Number(lport), Buffer.from("hello"), "stay"));

const join = (backend: RunningBackend, options: Omit<PeerAgentOptions, "url">) =>
  PeerAgent.join({ url: backend.url.replace("http", "ws"), ...options });

describe("C-25: client ids are compared as exact bytes", () => {
  it("each odd one is a client of its own through join, API, tunnels, events, deletion and a restart", async () => {
    await using temp = await tempDirectory();
    await using stack = new AsyncDisposableStack();
    const backend = stack.use(await startBackend({ dataDir: temp.path }));
    const password = await makeFleet({ call: backend.api });
    const agents: PeerAgent[] = [];
    for (const [n, ID] of ODD_IDS.entries()) {
      const introduction = { ID, Name: `n${n}`, SessionID: `s${n}` };
      agents.push(await join(backend, { user: FLEET, password, introduction }));
    }
    using events = backend.events();
    const { clients } = await events.snapshot();
    expect(clients.map(({ id, name }) => [id, name])).toEqual(
      expect.arrayContaining(ODD_IDS.map((id, n) => [id, `n${n}`])),
    );
    expect(clients).toHaveLength(ODD_IDS.length);
    for (const [n, clientId] of ODD_IDS.entries()) {
      const params = { clientId };
      expect(await backend.api("getClient", { params })).toMatchObject({ id: clientId });
      await backend.api("createTunnel", { params, query: { remote: String(1_000 + n) } });
      const { tunnels } = await backend.api("getClient", { params });
      expect(tunnels).toMatchObject([{ client_id: clientId, rport: String(1_000 + n) }]);
    }
    const [gone, ...kept] = ODD_IDS;
    for (const agent of agents) agent.close();
    await eventually(async () =>
      expect(await backend.api("getStatus")).toMatchObject({ clients_connected: 0 }),
    );
    await backend.api("deleteClient", { params: { clientId: gone ?? "" } });
    await backend[Symbol.asyncDispose]();
    await using again = await startBackend({ dataDir: temp.path });
    const left = await again.api("listClients");
    expect(left.map(({ id }) => id).sort()).toEqual([...kept].sort());
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([".", "..", "a\u0000b", "a\u202Eb", "a\u200Bb", "\uD800", "x".repeat(129)])(
    "%j is refused in words, and leaves no record",
    async (ID) => {
      await using backend = await startBackend();
      const password = await makeFleet({ call: backend.api });
      const joining = join(backend, { user: FLEET, password, introduction: { ID } });
      await expect(joining).rejects.toThrow(/not valid/);
      expect(await backend.api("listClients")).toEqual([]);
    },
  );
});

describe("client id and auth id", () => {
  const [ALPHA, BETA] = ["alpha", "beta"];
  const clientOf = (backend: RunningBackend, clientId: string) =>
    backend.api("getClient", { params: { clientId } });
  const countsOf = async (backend: RunningBackend, authId: string) => {
    const credential = await backend.api("getCredential", { params: { authId } });
    return [credential.clients_total, credential.clients_connected];
  };

  it("are independent when they cross: login, tunnels, events and deletion follow the one that is meant", async () => {
    await using backend = await startBackend();
    await using target = await tcpServer((socket) => socket.resume().end(GREETING));
    const alpha = await backend.api("createCredential", { body: { id: ALPHA } });
    const beta = await backend.api("createCredential", { body: { id: BETA } });
    using events = backend.events();
    await events.snapshot();
    const asAlpha = { user: ALPHA, password: alpha.password };
    const asBeta = { user: BETA, password: beta.password };
    await using equal = await join(backend, { ...asAlpha, introduction: { ID: ALPHA } });
    await using crossed = await join(backend, { ...asAlpha, introduction: { ID: BETA } });
    await using other = await join(backend, { ...asBeta, introduction: { ID: "gamma" } });
    const swapped = { ...asBeta, password: alpha.password, url: backend.url };
    expect(await isLetIn(swapped)).toBe(false);
    expect(await countsOf(backend, ALPHA)).toEqual([2, 2]);
    expect(await countsOf(backend, BETA)).toEqual([1, 1]);
    const query = { remote: String(target.port) };
    const tunnel = await backend.api("createTunnel", { params: { clientId: BETA }, query });

    await backend.api("deleteCredential", { params: { authId: BETA }, query: { force: "true" } });
    await other.closed;
    expect(await clientOf(backend, BETA)).toMatchObject({ connection_state: "connected" });
    expect(await clientOf(backend, "gamma")).toMatchObject({ connection_state: "disconnected" });
    expect(await greeting(tunnel.lport)).toBe(GREETING);
    const gone = (): Change[] =>
      events.messages
        .flatMap((message) => (message.type === "delta" ? message.changes : []))
        .filter(({ value }) => value === null);
    await eventually(() =>
      expect(gone()).toEqual([{ entity: "credential", id: BETA, value: null }]),
    );
    expect(await isLetIn({ ...asAlpha, url: backend.url })).toBe(true);

    crossed.close();
    equal.close();
    await eventually(async () => expect(await countsOf(backend, ALPHA)).toEqual([2, 0]));
    await backend.api("deleteClient", { params: { clientId: ALPHA } });
    expect(await countsOf(backend, ALPHA)).toEqual([1, 0]);
    expect(await isLetIn({ ...asAlpha, url: backend.url })).toBe(true);
    expect(await clientOf(backend, BETA)).toMatchObject({ client_auth_id: ALPHA });
  });

  it("are independent when a client moves from one credential to another, with its tunnels", async () => {
    await using backend = await startBackend();
    await using target = await tcpServer((socket) => socket.resume().end(GREETING));
    const first = await backend.api("createCredential", { body: { id: ALPHA } });
    const second = await backend.api("createCredential", { body: { id: BETA } });
    const introduction = { ID: ALPHA };
    const query = { remote: String(target.port) };
    let lport = "";
    {
      await using _agent = await join(backend, {
        user: ALPHA,
        password: first.password,
        introduction,
      });
      ({ lport } = await backend.api("createTunnel", { params: { clientId: ALPHA }, query }));
    }
    await eventually(async () => expect(await countsOf(backend, ALPHA)).toEqual([1, 0]));
    await using agent = await PeerAgent.signIn({
      url: backend.url.replace("http", "ws"),
      user: BETA,
      password: second.password,
      introduction,
    });
    const end = endOf(agent.introduce());
    const { id: joinId } = await oneJoin(backend);
    await backend.api("approveJoin", { params: { joinId } });
    expect(await end).toBe("in");
    expect(await countsOf(backend, ALPHA)).toEqual([0, 0]);
    expect(await countsOf(backend, BETA)).toEqual([1, 1]);
    await backend.api("deleteCredential", { params: { authId: ALPHA } });
    expect(await clientOf(backend, ALPHA)).toMatchObject({
      client_auth_id: BETA,
      connection_state: "connected",
      tunnels: [{ lport }],
    });
    expect(await greeting(lport)).toBe(GREETING);
  });
});
