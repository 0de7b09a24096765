import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { describe, expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { Members } from "../../support/backend/member.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOST = "web-1";
const params = { clientId: HOST };

const shown = (backend: RunningBackend) => backend.api("getClient", { params });

/** A host of a few lines, which says what a test wants. */
async function host(backend: RunningBackend, password: string, said: Record<string, unknown>) {
  const url = backend.url.replace("http", "ws");
  const introduction = { ID: HOST, ...said };
  return await PeerAgent.join({ url, user: FLEET, password, introduction });
}

describe("what people give a host", () => {
  it("stays whatever its agent says, over restarts of both, until it is taken back", async () => {
    await using place = await tempDirectory();
    let backend = await startBackend({ dataDir: place.path });
    const password = await makeFleet({ call: backend.api });
    const own = { Name: "debian", Tags: ["linux"], Labels: { rack: "7" } };
    const given = { name: "web-01", tags: ["prod", "web"], labels: { rack: "7" } };
    const said = { name: "debian", tags: ["linux"] };
    {
      await using _agent = await host(backend, password, own);
      const body = { name: "web-01", tags: ["prod", "web", "prod"] };
      expect(await backend.api("setClientAttributes", { params, body })).toBe("ok");
      expect(await shown(backend)).toMatchObject({ ...given, said });
      expect(await backend.api("getClientAttributes", { params })).toEqual({
        tags: ["prod", "web"],
        labels: { rack: "7" },
      });
    }
    {
      await using _again = await host(backend, password, own);
      expect(await shown(backend)).toMatchObject({ ...given, said });
    }
    await backend[Symbol.asyncDispose]();
    backend = await startBackend({ dataDir: place.path });
    await using _rest = backend;
    expect(await shown(backend)).toMatchObject({ ...given, said });

    // a name alone is taken back, and what its agent says then
    await using _other = await host(backend, password, { Name: "renamed", Tags: ["other"] });
    expect(await shown(backend)).toMatchObject({ ...given, labels: {}, said: { name: "renamed" } });
    await backend.api("setClientAttributes", { params, body: { name: null } });
    const left = { name: "renamed", tags: ["prod", "web"], said: { tags: ["other"] } };
    expect(await shown(backend)).toMatchObject(left);
    await backend.api("setClientAttributes", { params, body: { tags: null } });
    expect(await shown(backend)).toMatchObject({ name: "renamed", tags: ["other"], said: {} });
  });

  it("is told to editors at once, decides who sees the host, and is in the audit log", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    await using _agent = await host(backend, password, { Tags: ["linux"] });
    const members = new Members(backend);
    await members.group("operators");
    const anna = await members.add("anna", ["operators"]);
    const root = await members.add("root", [ADMINISTRATORS]);
    const group = { id: "web", params: { tag: ["web"] }, allowed_user_groups: ["operators"] };
    await backend.api("putClientGroup", {
      params: { clientGroupId: "web" },
      body: group as never,
    });
    const seen = () => anna.api.raw("GET", `/clients/${HOST}`);
    const put = (by: typeof anna, body: object) =>
      by.api.raw("PUT", `/clients/${HOST}/attributes`, { body });
    expect(await seen()).toMatchObject({ status: 404 });
    expect(await put(anna, { tags: ["web"] })).toMatchObject({ status: 403 });
    using events = backend.events();
    await events.snapshot();
    expect(await put(root, { tags: ["web"], name: "shop" })).toMatchObject({ status: 200 });
    expect(await seen()).toMatchObject({ status: 200 });
    // who sees a host may still not say what it is called
    expect(await put(anna, { tags: [] })).toMatchObject({ status: 403 });
    const value = expect.objectContaining({ name: "shop", tags: ["web"] });
    await eventually(() =>
      expect(
        events.messages.flatMap((message) => (message.type === "delta" ? message.changes : [])),
      ).toContainEqual({ entity: "client", id: HOST, value }),
    );
    const query = { "filter[application]": "client.attributes", sort: "-seq" };
    const entries = await backend.api("listAudit", { query });
    const of = (action: string) => entries.find((entry) => entry.action === action);
    expect(of("update")).toMatchObject({ username: "root", affected_id: HOST });
    expect(JSON.parse(of("update")?.request ?? "")).toEqual({ name: "shop", tags: ["web"] });
  });

  it("goes over with the record when the host comes back under another id", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    {
      await using _old = await host(backend, password, { Name: "debian", Tags: ["linux"] });
    }
    await backend.api("setClientAttributes", { params, body: { name: "web-01", tags: ["prod"] } });
    const again = { ID: "web-2", Name: "fresh", Tags: ["linux"] };
    await using _new = await host(backend, password, again);
    const moved = await backend.api("adoptClient", {
      params: { clientId: "web-2" },
      body: { from: HOST },
    });
    expect(moved).toMatchObject({ name: "web-01", tags: ["prod", "linux"] });
    await using _back = await host(backend, password, { ...again, Tags: ["other"] });
    const now = await backend.api("getClient", { params: { clientId: "web-2" } });
    expect(now).toMatchObject({ name: "web-01", tags: ["prod", "linux"] });
  });

  it.each([
    ["nothing", { name: "" }],
    ["a name that nobody can read", { name: "a\u202Eb" }],
    ["a name that is too long", { name: "x".repeat(201) }],
    ["a tag with a space at its end", { tags: ["web "] }],
    ["more tags than there may be", { tags: Array.from({ length: 257 }, (_, n) => `t${n}`) }],
    ["something else", { nickname: "web" }],
  ])("is not %s", async (_, body) => {
    await using backend = await startBackend();
    const answer = await backend.raw("PUT", `/clients/${HOST}/attributes`, { body });
    expect(answer).toMatchObject({ status: 400 });
    const missing = await backend.raw("PUT", `/clients/${HOST}/attributes`, { body: {} });
    expect(missing).toMatchObject({ status: 404 });
  });

  it("is what RPort's call sets: tags and labels", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    {
      await using _agent = await host(backend, password, { Name: "web", Tags: ["linux"] });
    }
    const body = { tags: ["vm"], labels: { site: "berlin" } };
    const answer = await backend.raw("PUT", `/clients/${HOST}/attributes`, { body });
    expect(answer).toMatchObject({ status: 200, body: { data: "ok" } });
    expect(await shown(backend)).toMatchObject({ ...body, name: "web" });
  });
});
