import { once } from "node:events";
import { CLOSE_CODES } from "@rport/protocol/errors";
import { DIAL_PATH } from "@rport/protocol/http";
import { ADMINISTRATORS, PERMISSIONS } from "@rport/protocol/people/right";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import type { EventStream } from "../../support/backend/eventStream.ts";
import { type Member, Members } from "../../support/backend/member.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";
import { within } from "../../support/within.ts";

/** Rights that are taken have to be gone after so long; a busy test machine is given some more. */
const EFFECT_MS = 1_000;

let backend: RunningBackend;
let members: Members;
let password: string;

beforeEach(async () => {
  backend = await startBackend();
  members = new Members(backend);
  ({ password } = await backend.api("createCredential", { body: { id: "hosts" } }));
});
afterEach(() => backend[Symbol.asyncDispose]());

/** Connects a host of this id. */
async function host(id: string, introduction: Record<string, unknown> = {}): Promise<PeerAgent> {
  const url = backend.url.replace("http", "ws");
  const said = { ID: id, Name: id, Hostname: `${id}.example`, ...introduction };
  return await PeerAgent.join({ url, user: "hosts", password, introduction: said });
}

async function setAcl(clientId: string, ...groups: string[]): Promise<void> {
  const body = { allowed_user_groups: groups as never };
  await backend.api("setClientAcl", { params: { clientId }, body });
}

async function putGroup(id: string, params: object, ...groups: string[]): Promise<void> {
  const body = { id, params, allowed_user_groups: groups } as never;
  await backend.api("putClientGroup", { params: { clientGroupId: id }, body });
}

async function idsOf({ api }: Pick<Member, "api">, query: Record<string, string> = {}) {
  const { body } = await api.raw("GET", "/clients", { query });
  const { data, meta } = body as { data: { id: string }[]; meta: { count: number } };
  return { ids: data.map(({ id }) => id), count: meta.count };
}

describe("who sees a client", () => {
  it("is set by administrators, who name groups and a client that are there", async () => {
    await using _agent = await host("web-1");
    await members.group("operators");
    const anna = await members.add("anna", ["operators"]);
    const set = (id: string, groups: string[], by = anna.api) =>
      by.raw("POST", `/clients/${id}/acl`, { body: { allowed_user_groups: groups } });
    const admin = await members.add("root", [ADMINISTRATORS]);
    expect(await set("web-1", ["operators"])).toMatchObject({ status: 403 });
    expect(await set("web-1", ["operators", "no such"], admin.api)).toMatchObject({
      status: 404,
      body: { errors: [{ title: "user groups not found: no such" }] },
    });
    expect(await set("no-such", ["operators"], admin.api)).toMatchObject({ status: 404 });
    expect(await set("web-1", ["operators", ADMINISTRATORS], admin.api)).toMatchObject({
      status: 204,
    });
    expect(await backend.api("getClient", { params: { clientId: "web-1" } })).toMatchObject({
      allowed_user_groups: ["operators", ADMINISTRATORS],
    });
    const [entry] = await backend.api("listAudit", {
      query: { "filter[application]": "client.acl" },
    });
    expect(entry).toMatchObject({ username: "root", affected_id: "web-1" });
  });

  it("shows the others as if there were none: lists, counts, tunnels, the record itself", async () => {
    await using _one = await host("web-1");
    await using _two = await host("db-1");
    await members.group("operators", "tunnels");
    const anna = await members.add("anna", ["operators"]);
    expect(await idsOf(anna)).toEqual({ ids: [], count: 0 });
    await setAcl("web-1", "operators");
    for (const id of ["web-1", "db-1"]) {
      await backend.api("createTunnel", { params: { clientId: id }, query: { remote: "22" } });
    }

    expect(await idsOf(anna)).toEqual({ ids: ["web-1"], count: 1 });
    expect(await idsOf(anna, { "filter[id]": "db*" })).toEqual({ ids: [], count: 0 });
    expect(await idsOf(anna, { "filter[allowed_user_groups]": "OPER*" })).toMatchObject({
      count: 1,
    });
    const tunnels = await anna.api.call("listTunnels");
    expect(tunnels.map(({ client_id: id }) => id)).toEqual(["web-1"]);
    expect(await anna.api.call("getStatus")).toMatchObject({
      clients_connected: 1,
      clients_disconnected: 0,
    });
    const hidden = await anna.api.raw("GET", "/clients/db-1");
    const missing = await anna.api.raw("GET", "/clients/no-such");
    expect(hidden).toMatchObject({ status: 404 });
    expect(JSON.stringify(hidden.body)).toBe(JSON.stringify(missing.body));
    const remove = (id: string) => anna.api.raw("DELETE", `/clients/${id}/tunnels/1`);
    expect(await remove("db-1")).toMatchObject({ status: 404, body: hidden.body });
    expect(await remove("web-1")).toMatchObject({ status: 204 });
  });

  it("makes nobody master of its record: only administrators delete it", async () => {
    await using agent = await host("web-1");
    await members.group("operators", ...PERMISSIONS);
    const anna = await members.add("anna", ["operators"]);
    await setAcl("web-1", "operators");
    agent.close();
    await agent.closed;
    const params = { clientId: "web-1" };
    await eventually(async () => {
      const { connection_state: state } = await anna.api.call("getClient", { params });
      expect(state).toBe("disconnected");
    });
    for (const query of [{}, { report: "true" }, { dry_run: "true" }]) {
      const refused = await anna.api.raw("DELETE", "/clients/web-1", { query });
      expect(refused).toMatchObject({ status: 403, body: { errors: [{ code: "FORBIDDEN" }] } });
    }
    const kept = await anna.api.call("getClient", { params });
    expect(kept).toMatchObject({ id: "web-1", allowed_user_groups: ["operators"] });
    const root = await members.add("root", [ADMINISTRATORS]);
    expect(await root.api.raw("DELETE", "/clients/web-1")).toMatchObject({ status: 204 });
  });

  it("stays what it is when the host comes back, and when the server does", async () => {
    await members.group("operators");
    {
      await using _agent = await host("web-1");
      await setAcl("web-1", "operators");
    }
    await using again = await host("web-1", { Name: "another name" });
    expect(again.heard).toBeDefined();
    const shown = await backend.api("getClient", { params: { clientId: "web-1" } });
    expect(shown).toMatchObject({ name: "another name", allowed_user_groups: ["operators"] });
  });
});

describe("a group of users that is gone", () => {
  it("is on no list any more, so that another one of its name sees nothing by that", async () => {
    await using _web = await host("web-1", { Tags: ["web"] });
    await using _db = await host("db-1", { Tags: ["db"] });
    for (const name of ["operators", "owners"]) await members.group(name);
    await setAcl("db-1", "operators", "owners");
    await putGroup("web", { tag: ["web"] }, "operators", ADMINISTRATORS);
    await backend.api("deleteUserGroup", { params: { groupName: "operators" } });
    await members.group("operators");
    const anna = await members.add("anna", ["operators"]);
    await eventually(async () => {
      const { allowed_user_groups: left } = await backend.api("getClient", {
        params: { clientId: "db-1" },
      });
      const group = await backend.api("getClientGroup", { params: { clientGroupId: "web" } });
      expect([left, group.allowed_user_groups]).toEqual([["owners"], [ADMINISTRATORS]]);
    });
    expect(await idsOf(anna)).toEqual({ ids: [], count: 0 });
  });

  it("is on none either when others go at the same time", async () => {
    await using _web = await host("web-1", { Tags: ["web"] });
    const names = ["operators", "owners", "guests"];
    for (const name of names) await members.group(name);
    const ids = ["one", "two", "three"];
    for (const id of ids) await putGroup(id, { tag: ["web"] }, ...names, ADMINISTRATORS);
    await Promise.all(
      names.map((groupName) => backend.api("deleteUserGroup", { params: { groupName } })),
    );
    for (const clientGroupId of ids) {
      const left = await backend.api("getClientGroup", { params: { clientGroupId } });
      expect(left.allowed_user_groups).toEqual([ADMINISTRATORS]);
    }
    await members.group("owners");
    const anna = await members.add("anna", ["owners"]);
    expect(await idsOf(anna)).toEqual({ ids: [], count: 0 });
    expect(backend.logLines.filter((line) => line.includes("a fault of the server"))).toEqual([]);
  });
});

describe("a group of clients", () => {
  it("tells nobody the ids, names and addresses of clients that they may not see", async () => {
    await using _web = await host("web-1", { IPv4: ["192.0.2.1"] });
    await using _db = await host("db-1", { IPv4: ["192.0.2.2"] });
    await members.group("operators");
    const anna = await members.add("anna", ["operators"]);
    const params = {
      client_id: ["WEB-*", "db-1", "gone-1"],
      ipv4: ["192.0.2.1", "192.0.2.2"],
      os_kernel: ["linux", "windows"],
    };
    await putGroup("all", params);
    await setAcl("web-1", "operators");
    const query = { "fields[client_groups]": "params" };
    const seen = { client_id: ["WEB-*"], ipv4: ["192.0.2.1"], os_kernel: ["linux", "windows"] };
    const one = await anna.api.raw("GET", "/client-groups/all");
    expect((one.body as { data: { params: object } }).data.params).toMatchObject(seen);
    expect(await anna.api.call("listClientGroups", { query })).toMatchObject([{ params: seen }]);
    expect(await backend.api("listClientGroups", { query })).toMatchObject([{ params }]);
  });

  it("is made, read, changed and removed as in RPort", async () => {
    await using _web = await host("web-1", { Tags: ["web", "Linux"] });
    await using _db = await host("db-1", { Tags: ["db"] });
    await members.group("operators");
    const anna = await members.add("anna", ["operators"]);
    const body = { id: "web", description: "all of the web", params: { tag: ["WEB"] } };
    const post = () => backend.raw("POST", "/client-groups", { body });
    expect(await post()).toMatchObject({ status: 201, body: undefined });
    expect(await post()).toMatchObject({ status: 409 });
    await putGroup("none", { tag: { and: ["web", "db"] } });

    expect(await backend.api("listClientGroups")).toEqual([
      { id: "none", description: "" },
      { id: "web", description: "all of the web" },
    ]);
    const query = {
      "filter[id]": "w*",
      sort: "-id",
      "fields[client_groups]": "id,client_ids,num_clients,num_clients_connected",
    };
    const listed = { id: "web", client_ids: ["web-1"], num_clients: 1, num_clients_connected: 1 };
    expect(await backend.api("listClientGroups", { query })).toEqual([listed]);
    const { body: one } = await backend.raw("GET", "/client-groups/web");
    expect((one as { data: { params: object } }).data).toMatchObject({
      ...listed,
      params: { tag: ["WEB"], name: null },
      allowed_user_groups: [],
    });
    expect(await idsOf({ api: anna.api })).toEqual({ ids: [], count: 0 });
    expect(await anna.api.call("listClientGroups")).toEqual([]);
    expect(await anna.api.raw("GET", "/client-groups/web")).toMatchObject({ status: 404 });

    await putGroup("web", { tag: ["web", "db"] }, "operators");
    expect(await idsOf(anna, { "filter[groups]": "web" })).toEqual({
      ids: ["db-1", "web-1"],
      count: 2,
    });
    expect(await anna.api.call("listClientGroups")).toEqual([{ id: "web", description: "" }]);
    const remove = () => backend.raw("DELETE", "/client-groups/web");
    expect([(await remove()).status, (await remove()).status]).toEqual([204, 404]);
    expect(await idsOf(anna)).toEqual({ ids: [], count: 0 });
  });

  it.each([
    ["PUT", "/client-groups/other", { id: "web" }],
    ["POST", "/client-groups", { id: "web", params: { colour: ["red"] } }],
    ["POST", "/client-groups", { id: "web", params: { tag: { xor: ["a"] } } }],
    ["POST", "/client-groups", { id: "a/b" }],
    ["GET", "/client-groups?sort=params", undefined],
    ["GET", "/client-groups?filter[params]=x", undefined],
    ["GET", "/client-groups/web?fields[client_groups]=colour", undefined],
  ])("is a 400 with what nobody understands: %s %s %j", async (method, path, body) => {
    await putGroup("web", {});
    const [bare = "", search = ""] = path.split("?");
    const query = Object.fromEntries(new URLSearchParams(search));
    expect(await backend.raw(method, bare, { query, body })).toMatchObject({ status: 400 });
  });

  it("is a 404 with a group of users that is not there", async () => {
    const body = { id: "web", allowed_user_groups: ["no such"] };
    expect(await backend.raw("POST", "/client-groups", { body })).toMatchObject({ status: 404 });
  });
});

describe("the audit log", () => {
  it("shows others than administrators what they did themselves, to the letter of the name", async () => {
    await using _agent = await host("web-1");
    await members.group("operators", "auditlog", "tunnels");
    const [anna, other] = [
      await members.add("anna", ["operators"]),
      await members.add("Anna", ["operators"]),
    ];
    await setAcl("web-1", "operators");
    for (const [n, { api }] of [anna, other].entries()) {
      const query = { remote: `2${n}` };
      await api.call("createTunnel", { params: { clientId: "web-1" }, query });
    }
    for (const { api, name } of [anna, other]) {
      const rows = await api.call("listAudit");
      expect(new Set(rows.map(({ username }) => username))).toEqual(new Set([name]));
      const query = { "filter[action|username]": "x" };
      expect(await api.raw("GET", "/auditlog", { query })).toMatchObject({ status: 403 });
    }
  });
});

/** What a stream has shown so far: the clients that are there. */
function shownClients({ messages }: EventStream): string[] {
  const shown = new Set<string>();
  for (const message of messages) {
    if (message.type !== "delta") {
      for (const { id } of message.clients) shown.add(id);
      continue;
    }
    for (const change of message.changes) {
      if (change.entity !== "client") continue;
      if (change.value === null) shown.delete(change.id);
      else shown.add(change.id);
    }
  }
  return [...shown].sort();
}

/** How long it takes from the change on until `find` finds something. */
async function effectOf(change: () => Promise<unknown>, done: Promise<unknown>): Promise<number> {
  await change();
  const startMs = performance.now();
  await within("the effect of a change", done);
  return performance.now() - startMs;
}

describe("S-19 a change of rights", () => {
  it("shows and hides clients and their tunnels on an open event socket, and nothing else", async () => {
    await using _web = await host("web-1", { Tags: ["web"] });
    await using db = await host("db-1", { Tags: ["db"] });
    await members.group("operators", "tunnels");
    const anna = await members.add("anna", ["operators"]);
    const query = { remote: "22" };
    await backend.api("createTunnel", { params: { clientId: "db-1" }, query });
    await setAcl("web-1", "operators");
    using stream = anna.events();
    const first = await stream.snapshot();
    expect(first.clients.map(({ id }) => id)).toEqual(["web-1"]);
    expect(first).toMatchObject({ tunnels: [], credentials: [], joins: [], users: [] });
    expect(first.server).toMatchObject({ clients_connected: 1 });
    const shows = (...ids: string[]) =>
      stream.until(() => (String(shownClients(stream)) === String(ids.sort()) ? true : undefined));
    const changes = [
      () => putGroup("dbs", { tag: ["db"] }, "operators"),
      () => setAcl("web-1"),
      () => putGroup("dbs", { tag: ["nothing"] }, "operators"),
      () => putGroup("dbs", { tag: ["web"] }, "operators"),
    ];
    const seen = [["db-1", "web-1"], ["db-1"], [], ["web-1"]];
    for (const [n, change] of changes.entries()) {
      expect(await effectOf(change, shows(...(seen[n] ?? [])))).toBeLessThan(EFFECT_MS);
    }
    await db[Symbol.asyncDispose]();
    await using _moved = await host("db-1", { Tags: ["web"] });
    await shows("db-1", "web-1");
    const tunnels = stream.messages.flatMap((message) =>
      message.type === "delta" ? message.changes.filter(({ entity }) => entity === "tunnel") : [],
    );
    expect(tunnels.at(-1)).toMatchObject({ id: "db-1/1", value: { client_id: "db-1" } });
    expect(JSON.stringify(stream.messages)).not.toContain('"credential"');
  });

  it("sends whoever is in other groups for a new snapshot, and tells nothing more", async () => {
    await using _web = await host("web-1");
    await using _db = await host("db-1");
    for (const name of ["operators", "owners"]) await members.group(name);
    const anna = await members.add("anna", ["operators"]);
    await setAcl("web-1", "operators");
    await setAcl("db-1", "owners");
    using stream = anna.events();
    await stream.snapshot();
    const tookMs = await effectOf(() => anna.join("owners"), stream.closed);
    expect([await stream.closed, tookMs < EFFECT_MS]).toEqual([CLOSE_CODES.resync, true]);
    using again = anna.events();
    expect((await again.snapshot()).clients.map(({ id }) => id)).toEqual(["db-1"]);
    await anna.join("owners", "operators");
    expect(await again.closed).toBe(CLOSE_CODES.resync);
  });

  it.each([
    ["the groups of the user", (anna: Member) => anna.join()],
    ["the client's own list", () => setAcl("web-1")],
    ["the permission", () => members.group("operators", "monitoring")],
  ])("ends an open stream to a host in a second: %s", async (_, change) => {
    await using target = await tcpServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk) => socket.write(chunk));
    });
    await using _agent = await host("web-1");
    await members.group("operators", "tunnels");
    const anna = await members.add("anna", ["operators"]);
    await setAcl("web-1", "operators");
    const path = `${DIAL_PATH}?client_id=web-1&port=${target.port}`;
    const headers = { Authorization: `Bearer ${anna.token}` };
    const open = () => new WebSocket(backend.url.replace("http", "ws") + path, { headers });
    const socket = open();
    const closed = once(socket, "close");
    await once(socket, "open");
    socket.send(Buffer.from("hello"));
    await once(socket, "message");
    const tookMs = await effectOf(() => change(anna), closed);
    const [code] = await closed;
    expect([code, tookMs < EFFECT_MS]).toEqual([CLOSE_CODES.refused, true]);
    const late = open();
    const refused = await Promise.race([
      once(late, "close").then(([reason]) => reason),
      once(late, "unexpected-response").then(([, { statusCode }]) => statusCode),
    ]);
    expect([CLOSE_CODES.refused, 403]).toContain(refused);
  });
});
