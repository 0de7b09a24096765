import { describe, expect, it } from "vitest";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { FLEET } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";

/** What a host says about itself, of this size at least. */
const says = (bytes: number) => {
  const parts = Array.from({ length: Math.ceil(bytes / 1_000) }, (_, n) => [
    `l${n}`,
    "x".repeat(990),
  ]);
  return { Labels: Object.fromEntries(parts) };
};

/** Comes with the credential; "in", or the words of the refusal. */
async function comes(
  backend: RunningBackend,
  login: { readonly user: string; readonly password: string },
  introduction: Readonly<Record<string, unknown>>,
): Promise<string> {
  const url = backend.url.replace("http", "ws");
  await using agent = await PeerAgent.signIn({ url, ...login, introduction });
  return await agent.introduce().then(
    () => "in",
    (error: Error) => error.message,
  );
}

describe("S-01: a credential whose hosts fill the room that they may have", () => {
  it("gets no new host in, in a word of its own, while its known hosts and those of others come", async () => {
    await using backend = await startBackend({ limits: { record_bytes_per_credential: 90_000 } });
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    const other = await backend.api("createCredential", { body: { id: "other" } });
    const thief = { user: FLEET, password };
    const big = says(40_000);
    expect(await comes(backend, thief, { ID: "fake-1", ...big })).toBe("in");
    expect(await comes(backend, thief, { ID: "fake-2", ...big })).toBe("in");
    expect(await comes(backend, thief, { ID: "fake-3", ...big })).toMatch(/fill the room/);
    expect(await comes(backend, thief, { ID: "fake-1", ...big })).toBe("in");
    const honest = { user: "other", password: other.password };
    expect(await comes(backend, honest, { ID: "honest", ...big })).toBe("in");

    const listed = await backend.api("listRefusals");
    expect(listed).toMatchObject([{ reason: "credential-full", auth_id: FLEET, count: 1 }]);
    const line = await backend.logged((text) => text.includes("a limit was met"));
    expect(line).toContain("record_bytes_per_credential");
    expect(await backend.api("listClients")).toHaveLength(3);
  });

  it("lets a known host in that says more than before, and keeps what it said", async () => {
    await using backend = await startBackend({ limits: { record_bytes_per_credential: 10_000 } });
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    const login = { user: FLEET, password };
    expect(await comes(backend, login, { ID: "web", Name: "web", ...says(5_000) })).toBe("in");
    expect(await comes(backend, login, { ID: "web", Name: "more", ...says(30_000) })).toBe("in");
    const client = await backend.api("getClient", { params: { clientId: "web" } });
    expect(client.name).toBe("web");
    expect(Object.keys(client.labels)).toHaveLength(5);
    expect(await comes(backend, login, { ID: "web", Name: "less", ...says(2_000) })).toBe("in");
    const less = await backend.api("getClient", { params: { clientId: "web" } });
    expect(less.name).toBe("less");
  });
});

describe("S-01: a server that has all the hosts it may have", () => {
  it("takes no new one of any credential, and lets those on record come and go", async () => {
    await using backend = await startBackend({ limits: { clients: 2 } });
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    const login = { user: FLEET, password };
    for (const ID of ["one", "two", "one"]) expect(await comes(backend, login, { ID })).toBe("in");
    expect(await comes(backend, login, { ID: "three" })).toMatch(/no room for more hosts/);
    const listed = await backend.api("listRefusals");
    expect(listed).toMatchObject([{ reason: "server-full" }]);
    await backend.api("deleteClient", { params: { clientId: "two" } });
    expect(await comes(backend, login, { ID: "three" })).toBe("in");
  });
});

describe("S-01: many new hosts within minutes, none of whom is refused", () => {
  it("are pointed out once, on the credential and in the audit log", async () => {
    await using backend = await startBackend({ limits: { new_clients_alarm: 3 } });
    const { password } = await backend.api("createCredential", { body: { id: FLEET } });
    const login = { user: FLEET, password };
    const params = { authId: FLEET };
    for (const ID of ["a", "b", "c", "a"]) expect(await comes(backend, login, { ID })).toBe("in");
    expect((await backend.api("getCredential", { params })).crowded_at).toBeNull();
    for (const ID of ["d", "e", "f"]) expect(await comes(backend, login, { ID })).toBe("in");
    const credential = await backend.api("getCredential", { params });
    expect(credential).toMatchObject({ flooded_at: null, crowded_at: expect.any(String) });
    await eventually(async () => {
      const audit = await backend.api("listAudit", { query: { "filter[action]": "flood" } });
      expect(audit).toMatchObject([{ affected_id: FLEET, client_id: "d" }]);
    });
  });
});
