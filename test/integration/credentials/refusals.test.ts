import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import type { EventStream } from "../../support/backend/eventStream.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const FLEET = "fleet";
/** What a watcher was told of refusals. */
const changesOf = ({ messages }: EventStream) =>
  messages
    .flatMap((message) => (message.type === "delta" ? message.changes : []))
    .filter((change) => change.entity === "refusal");
const wsOf = (url: string) => url.replace("http", "ws");

describe("the list of refusals", () => {
  it("E11: names each refusal's reason, address and claims, live, until it is cleared", async () => {
    await using backend = await startBackend();
    const { password } = await backend.api("createCredential", {
      body: { id: FLEET, limits: { max_clients: 1 } },
    });
    using events = backend.events();
    await events.snapshot();
    const url = wsOf(backend.url);
    const login = { url, user: FLEET, password };
    await using _first = await PeerAgent.join(login);
    const other = { ID: "machine-2", Hostname: "web02.example.com" };
    await expect(PeerAgent.join({ ...login, introduction: other })).rejects.toThrow("at most 1");
    const again = { SessionID: "5c2a4c1e-0000-4000-8000-000000000099" };
    await expect(PeerAgent.join({ ...login, introduction: again })).rejects.toThrow("already");
    await expect(PeerAgent.signIn({ ...login, password: "wrong" })).rejects.toThrow();
    await expect(PeerAgent.signIn({ ...login, user: "nobody" })).rejects.toThrow();

    const listed = await backend.api("listRefusals");
    const kinds = listed.map(({ reason, auth_id, client_id }) => [reason, auth_id, client_id]);
    expect(kinds).toEqual(
      expect.arrayContaining([
        ["too-many-clients", FLEET, "machine-2"],
        ["duplicate", FLEET, "machine-1"],
        ["wrong-secret", FLEET, null],
        ["unknown-credential", "nobo…", null],
      ]),
    );
    expect(listed.every(({ address, count }) => address === "127.0.0.1" && count === 1)).toBe(true);
    expect(listed.find(({ client_id }) => client_id === "machine-2")?.hostname).toBe(
      "web02.example.com",
    );
    const told = () => changesOf(events).filter(({ value }) => value !== null);
    const reasons = () => told().map(({ value }) => value?.reason);
    await eventually(() => expect(reasons()).toContain("unknown-credential"));

    await backend.api("clearRefusals");
    expect(await backend.api("listRefusals")).toEqual([]);
    const gone = () => changesOf(events).filter(({ value }) => value === null);
    await eventually(() => expect(gone()).toHaveLength(4));
    const audit = await backend.api("listAudit", { query: { "filter[action]": "delete" } });
    expect(audit).toMatchObject([{ application: "client.refusal" }]);
  });

  it("E11: shows who still tries a deleted credential, also after a restart of the server", async () => {
    await using directory = await tempDirectory();
    const options = { dataDir: directory.path };
    let password = "";
    {
      await using backend = await startBackend(options);
      ({ password } = await backend.api("createCredential", { body: { id: FLEET } }));
      const params = { authId: FLEET };
      const login = { url: wsOf(backend.url), user: FLEET, password };
      await using agent = await PeerAgent.join(login);
      await backend.api("deleteCredential", { params, query: { force: "true" } });
      await agent.closed;
      await expect(PeerAgent.signIn(login)).rejects.toMatchObject({ kind: "login" });
      expect(await backend.api("listRefusals")).toMatchObject([
        { reason: "revoked-credential", auth_id: FLEET, count: 1 },
      ]);
    }
    await using again = await startBackend(options);
    const login = { url: wsOf(again.url), user: FLEET, password };
    for (let n = 0; n < 2; n += 1) await expect(PeerAgent.signIn(login)).rejects.toThrow();
    await expect(PeerAgent.signIn({ ...login, user: "never-was" })).rejects.toThrow();
    const listed = await again.api("listRefusals");
    expect(listed.map(({ reason, count }) => `${reason} ${count}`).sort()).toEqual([
      "revoked-credential 2",
      "unknown-credential 1",
    ]);
  });

  it("E11: names the host whose own secret was revoked, which it cannot say before it is in", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    await using agent = await startAgent(agentOf(backend, password, "web-01"));
    await agent.online();
    const params = { authId: FLEET };
    await backend.api("rotateCredential", { params, body: { grace_seconds: null } });
    const own = await eventually(async () => {
      const { secret } = await backend.api("getClient", { params: { clientId: "web-01" } });
      expect(secret?.origin).toBe("rotation");
      return secret;
    });
    await backend.api("revokeSecret", { params: { ...params, secretId: own?.id ?? "" } });
    await eventually(async () => {
      expect(await backend.api("listRefusals")).toMatchObject([
        { reason: "revoked-secret", auth_id: FLEET, client_id: "web-01" },
      ]);
    }, 15_000);
  });
});
