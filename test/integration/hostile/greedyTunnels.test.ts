import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { DIAL_PATH } from "@rport/protocol/http";
import { type ClientId, clientIdSchema } from "@rport/protocol/ids";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { SetLimits } from "../../../backend/src/limits/limitTable.ts";
import type { TunnelAsker } from "../../../backend/src/tunnels/request.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { type AgentSide, startAgentSide } from "../../support/agents/agentSide.ts";
import { joinFleet, rangesFrom } from "../../support/agents/fleetTunnels.ts";
import { TestApi } from "../../support/backend/api.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { Members } from "../../support/backend/member.ts";
import { groups } from "../../support/backend/people.ts";
import { addUser, bearer, newToken, send, signIn } from "../../support/backend/person.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { type TcpServer, tcpServer } from "../../support/wire/wireTunnel.ts";

const ONE = clientIdSchema.parse("web-01");
const TWO = clientIdSchema.parse("web-02");
const LIMITS = { tunnels_per_client: 16 };
const OPERATORS = "operators";
const range = rangesFrom(13_000 + (process.pid % 10) * 600);
/** What is refused is a conflict with what there is, and says of what. */
const refusal = (title: string) => ({ status: 409, title });

const hasTwelve = (who: string) =>
  `${who} has 12 of this client's 16 tunnels (tunnels_per_client); others need the rest.`;

let scope: AsyncDisposableStack;
beforeEach(() => {
  scope = new AsyncDisposableStack();
});
afterEach(() => scope.disposeAsync());

/** A real backend with these limits, a real agent for each of the ids, and eve and anna. */
async function setUp(limits: SetLimits, ...ids: string[]) {
  const tunnels = { bind: "127.0.0.1", ports: [range(80)] };
  const backend = scope.use(await startBackend({ limits, tunnels }));
  const password = await makeFleet({ call: backend.api });
  for (const id of ids) {
    const agent = scope.use(await startAgent(agentOf(backend, password, id)));
    await agent.online();
  }
  await new Members(backend).group(OPERATORS, "tunnels");
  const allowed = { allowed_user_groups: groups(OPERATORS) };
  for (const clientId of ids)
    await backend.api("setClientAcl", { params: { clientId }, body: allowed });
  for (const name of ["eve", "anna"]) await addUser(backend, name, { groups: groups(OPERATORS) });
  return { backend, eve: await signIn(backend, "eve"), anna: await signIn(backend, "anna") };
}

/** Asks for a tunnel with a token: its port, or how that was refused. */
async function openTunnel(
  backend: RunningBackend,
  token: string,
  to: { id: string; port: number },
) {
  const query = { remote: String(to.port), check_port: "0", "skip-idle-timeout": "true" };
  const api = new TestApi(backend.url, token);
  const { status, body } = await api.raw("PUT", `/clients/${to.id}/tunnels`, { query });
  const { data, errors } = body as { data?: { lport: string }; errors?: { title: string }[] };
  return data === undefined ? { status, title: errors?.[0]?.title } : Number(data.lport);
}

/** Asks for so many tunnels of a client, one after the other; answers how many there are then. */
async function openMany(backend: RunningBackend, token: string, to: { id: string; most: number }) {
  for (let n = 1; n <= to.most; n += 1) {
    const opened = await openTunnel(backend, token, { id: to.id, port: n });
    if (typeof opened !== "number") return { opened: n - 1, ...opened };
  }
  return { opened: to.most };
}

const isLoggedFor = (backend: RunningBackend, limit: string, user: string) =>
  backend.logged(
    (line) => line.includes(`"limit":"${limit}"`) && line.includes(`"user":"${user}"`),
  );

const bitesOf = ({ backend }: RunningBackend, limit: string) =>
  backend.limits.states().find(({ name }) => name === limit)?.bites;

/** An editor's stream to a port of a client, once it carries or is refused. */
async function openStream(backend: RunningBackend, token: string, port: number) {
  const query = new URLSearchParams({ client_id: ONE, host: "127.0.0.1", port: String(port) });
  const socket = new WebSocket(`${backend.url.replace("http", "ws")}${DIAL_PATH}?${query}`, {
    headers: { Authorization: bearer(token) },
  });
  scope.defer(() => socket.terminate());
  const closed = once(socket, "close").then(([code, reason]) => ({ code, reason: `${reason}` }));
  await once(socket, "open");
  socket.send(Buffer.from("x"));
  return await Promise.race([once(socket, "message").then(() => socket), closed]);
}

async function dialLocal(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  scope.defer(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

const echo = async (): Promise<TcpServer> =>
  scope.use(await tcpServer((socket) => void socket.pipe(socket)));

describe("a user who opens as many tunnels as they can", () => {
  it("has three quarters of a host's, with all their tokens and names, and others find one", async () => {
    const { backend, eve, anna } = await setUp(LIMITS, ONE);
    expect(await openMany(backend, eve, { id: ONE, most: 16 })).toEqual({
      opened: 12,
      ...refusal(hasTwelve("eve")),
    });
    await isLoggedFor(backend, "tunnels_per_client", "eve");
    expect(bitesOf(backend, "tunnels_per_client")).toBe(1);
    const { token } = await newToken(backend, eve);
    const script = { id: ONE, port: 100 };
    expect(await openTunnel(backend, token, script)).toEqual(refusal(hasTwelve("eve")));
    const renamed = await send(backend, "PUT /me", {
      authorization: bearer(eve),
      json: { username: "mallory" },
    });
    expect(renamed.status).toBe(204);
    expect(await openTunnel(backend, eve, script)).toEqual(refusal(hasTwelve("mallory")));
    expect(await openTunnel(backend, anna, { id: ONE, port: 101 })).toBeTypeOf("number");
  });

  it("has three quarters of the server's, over all hosts, and others find one on each", async () => {
    const { backend, eve, anna } = await setUp({ tunnels: 16 }, ONE, TWO);
    expect(await openMany(backend, eve, { id: ONE, most: 7 })).toEqual({ opened: 7 });
    expect(await openMany(backend, eve, { id: TWO, most: 16 })).toEqual({
      opened: 5,
      ...refusal("eve has 12 of this server's 16 tunnels (tunnels); others need the rest."),
    });
    await isLoggedFor(backend, "tunnels", "eve");
    for (const id of [ONE, TWO]) {
      expect(await openTunnel(backend, anna, { id, port: 101 })).toBeTypeOf("number");
    }
  });

  it("has as many of the ports where there are fewer of these", async () => {
    const { backend, eve, anna } = await setUp({ tunnels_per_client: 1_024 }, ONE);
    expect(await openMany(backend, eve, { id: ONE, most: 80 })).toEqual({
      opened: 60,
      ...refusal("eve has 60 of this server's 80 tunnels (tunnels); others need the rest."),
    });
    expect(await openTunnel(backend, anna, { id: ONE, port: 101 })).toBeTypeOf("number");
  });
});

/** Opens tunnels of somebody to these ports. */
async function opened(side: AgentSide, by: TunnelAsker & { id: ClientId; ports: number[] }) {
  for (const port of by.ports) {
    await side.tunnels.create(by.id, { remote: String(port), check_port: "0" }, by);
  }
}

const ports = (from: number, count: number) => Array.from({ length: count }, (_, n) => from + n);
const openAt = (side: AgentSide, count: number) =>
  eventually(() => expect(side.tunnels.list()).toHaveLength(count));

describe("the tunnels of a user who opens as many as they can", () => {
  it("are theirs under another name, too, when the host has come again", async () => {
    const side = scope.use(await startAgentSide({ range: range(80), limits: LIMITS }));
    const before = await joinFleet(side, { introduction: { ID: ONE } });
    const eve = { owner: "eve", accountId: "account 1", id: ONE };
    await opened(side, { ...eve, ports: ports(1, 12) });
    before.close();
    await openAt(side, 0);
    scope.use(await joinFleet(side, { introduction: { ID: ONE } }));
    await openAt(side, 12);
    const more = opened(side, { ...eve, owner: "mallory", ports: [100] });
    await expect(more).rejects.toMatchObject({ message: hasTwelve("mallory") });
    await opened(side, { owner: "anna", id: ONE, ports: [101] });
  });

  it("come again with a server that starts anew, all of them, and are of the same name", async () => {
    const { path: directory } = scope.use(await tempDirectory());
    const options = { directory, range: range(80), limits: LIMITS };
    const first = await startAgentSide(options);
    const host = await joinFleet(first, { introduction: { ID: ONE } });
    await opened(first, { owner: "eve", accountId: "account 1", id: ONE, ports: ports(1, 12) });
    await opened(first, { owner: "anna", accountId: "account 2", id: ONE, ports: ports(21, 3) });
    host.close();
    await first[Symbol.asyncDispose]();
    const side = scope.use(await startAgentSide(options));
    scope.use(await joinFleet(side, { introduction: { ID: ONE } }));
    await openAt(side, 15);
    const more = opened(side, { owner: "eve", accountId: "account 2", id: ONE, ports: [100] });
    await expect(more).rejects.toMatchObject({ message: hasTwelve("eve") });
    await opened(side, { owner: "bert", accountId: "account 3", id: ONE, ports: [101] });
    expect(side.log.join()).not.toContain("tunnel not restored");
  });

  it("leave others a place also when more come with their hosts than the user may open", async () => {
    const limits = { tunnels: 16 };
    const side = scope.use(await startAgentSide({ range: range(80), limits }));
    const away = await joinFleet(side, { introduction: { ID: ONE } });
    await opened(side, { owner: "eve", id: ONE, ports: ports(1, 12) });
    away.close();
    await openAt(side, 0);
    scope.use(await joinFleet(side, { introduction: { ID: TWO } }));
    await opened(side, { owner: "eve", id: TWO, ports: ports(1, 12) });
    scope.use(await joinFleet(side, { introduction: { ID: ONE } }));
    await openAt(side, 15);
    await opened(side, { owner: "anna", id: TWO, ports: [101] });
    expect(side.registry.tunnelsOf(ONE)).toHaveLength(12);
  });
});

describe("the one person of a server without accounts", () => {
  it("has all tunnels and connections, and shares them from the first account on", async () => {
    const limits = { tunnels_per_client: 2, channels_per_agent: 2 };
    const backend = scope.use(
      await startBackend({ limits, tunnels: { bind: "127.0.0.1", ports: [range(4)] } }),
    );
    const password = await makeFleet({ call: backend.api });
    const agent = scope.use(await startAgent(agentOf(backend, password, ONE)));
    await agent.online();
    const { token } = backend;
    expect(await openMany(backend, token, { id: ONE, most: 3 })).toEqual({
      opened: 2,
      ...refusal("A client can have 2 tunnels."),
    });
    const { port } = await echo();
    const first = await openStream(backend, token, port);
    expect(await openStream(backend, token, port)).toBeInstanceOf(WebSocket);
    await addUser(backend, "anna");
    if (first instanceof WebSocket) first.close();
    const reason = expect.stringContaining("has 1 of this client's 2 connections");
    await eventually(async () =>
      expect(await openStream(backend, token, port)).toMatchObject({ reason }),
    );
  });
});

describe("a user who opens as many connections to a host as they can", () => {
  it("has three quarters, through editors and tunnels, and others get through", async () => {
    const { backend, eve, anna } = await setUp({ channels_per_agent: 16 }, ONE);
    const { port } = await echo();
    const lport = await openTunnel(backend, eve, { id: ONE, port });
    if (typeof lport !== "number") throw new Error(lport.title);
    for (let n = 0; n < 6; n += 1) {
      expect(await openStream(backend, eve, port)).toBeInstanceOf(WebSocket);
      const socket = await dialLocal(lport);
      socket.write("x");
      await once(socket, "data");
    }
    const reason =
      "eve has 12 of this client's 16 connections (channels_per_agent); others need the rest.";
    expect(await openStream(backend, eve, port)).toEqual({ code: CLOSE_CODES.refused, reason });
    expect((await buffer(await dialLocal(lport))).length).toBe(0);
    await isLoggedFor(backend, "channels_per_agent", "eve");
    expect(bitesOf(backend, "channels_per_agent")).toBe(2);
    expect(await openStream(backend, anna, port)).toBeInstanceOf(WebSocket);
    await eventually(async () => {
      const query = { "filter[application]": "client.tunnel", "filter[action]": "failed" };
      const entries = await backend.api("listAudit", { query });
      const met = entries.map(({ request }) => JSON.parse(request));
      expect(met).toContainEqual(
        expect.objectContaining({ limit: "channels_per_agent", user: "eve" }),
      );
    });
  });

  it("and others who take the rest have met the limit itself, which is nobody's", async () => {
    const { backend, eve, anna } = await setUp({ channels_per_agent: 4 }, ONE);
    const { port } = await echo();
    for (const token of [eve, eve, eve, anna]) {
      expect(await openStream(backend, token, port)).toBeInstanceOf(WebSocket);
    }
    expect(await openStream(backend, backend.token, port)).toMatchObject({
      reason: expect.not.stringContaining("others need the rest"),
    });
    expect(bitesOf(backend, "channels_per_agent")).toBe(1);
    await eventually(async () => {
      const query = { "filter[application]": "client.tunnel", "filter[action]": "failed" };
      const entries = await backend.api("listAudit", { query });
      const limit = { by: "server", limit: "channels_per_agent", max: 4 };
      expect(entries.map(({ request }) => JSON.parse(request))).toEqual([limit]);
    });
  });

  it("has a place again when one of theirs has ended", async () => {
    const { backend, eve } = await setUp({ channels_per_agent: 8 }, ONE);
    const { port } = await echo();
    const open: unknown[] = [];
    for (let n = 0; n < 6; n += 1) open.push(await openStream(backend, eve, port));
    expect(await openStream(backend, eve, port)).toMatchObject({ code: CLOSE_CODES.refused });
    const [first] = open;
    if (first instanceof WebSocket) first.close();
    await eventually(async () =>
      expect(await openStream(backend, eve, port)).toBeInstanceOf(WebSocket),
    );
  });
});
