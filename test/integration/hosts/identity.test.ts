import { describe, expect, it } from "vitest";
import { startAgent, startEnrolledAgent } from "../../support/agents/agent.ts";
import { copyOfHost } from "../../support/agents/copiedHost.ts";
import { keyedHost } from "../../support/agents/hostKeys.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { endOf, oneJoin } from "../../support/backend/joins.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOST = "machine-1";
const params = { clientId: HOST };
const clientOf = (backend: RunningBackend, clientId = HOST) =>
  backend.api("getClient", { params: { clientId } });
const fleetOf = (backend: RunningBackend) => makeFleet({ call: backend.api });
const isAway = (backend: RunningBackend, id = HOST) =>
  eventually(async () =>
    expect((await clientOf(backend, id)).connection_state).toBe("disconnected"),
  );
const keyEntries = (backend: RunningBackend) =>
  backend.api("listAudit", { query: { sort: "-seq", "filter[application]": "client.key" } });

describe("a copy of a host's disk, host key included", () => {
  it("is refused while the host lives, told what to do, and visible on the record and as a refusal", async () => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    await using host = await startAgent(agentOf(backend, password, HOST));
    await host.online();
    using events = backend.events();
    await events.snapshot();
    await using copy = await copyOfHost(host);
    await using clone = await startEnrolledAgent(copy.configFile);
    const state = await clone.until(({ kind }) => kind === "waiting");
    const why = `client is already connected: ${HOST} [${HOST}]`;
    expect(state).toMatchObject({ reason: { text: expect.stringContaining(why) } });
    expect(state).toMatchObject({ reason: { text: expect.stringContaining("--new-id") } });

    const duplicate = { address: "127.0.0.1", same_host_key: true };
    const shown = await clientOf(backend);
    expect(shown).toMatchObject({ connection_state: "connected", duplicate });
    expect(shown.duplicate?.hostname).toBe(shown.hostname);
    const refusals = await backend.api("listRefusals");
    expect(refusals).toMatchObject([{ reason: "duplicate", client_id: HOST, auth_id: FLEET }]);
    await eventually(() =>
      expect(JSON.stringify(events.messages)).toContain('"same_host_key":true'),
    );
    expect(host.agent.state.kind).toBe("online");
    expect(await keyEntries(backend)).toEqual([]);
  });

  it("is the host itself when that is gone", async () => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    await using host = await startAgent(agentOf(backend, password, HOST));
    await host.online();
    const { host_key: key } = await clientOf(backend);
    await using copy = await copyOfHost(host);
    await host.agent.stop();
    await using moved = await startEnrolledAgent(copy.configFile);
    await moved.online();
    expect(await clientOf(backend)).toMatchObject({ host_key: key, host_key_change: null });
    expect(await keyEntries(backend)).toEqual([]);
  });

  it("is pointed out under another client id once the host is gone, and only if both were never there together", async () => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    await using host = await startAgent(agentOf(backend, password, HOST));
    await host.online();
    await using other = await startAgent(agentOf(backend, password, "beside"));
    await other.online();
    await using copy = await copyOfHost(host, { id: "machine-2" });
    await host.agent.stop();
    await isAway(backend);
    using events = backend.events();
    await events.snapshot();
    await using renamed = await startEnrolledAgent(copy.configFile);
    await renamed.online();
    expect(await clientOf(backend, "machine-2")).toMatchObject({ looks_like: HOST });
    // The same machine, as all agents here are; but it was connected together with the host.
    expect(await clientOf(backend, "beside")).toMatchObject({ looks_like: null });
    const told = () =>
      events.messages
        .flatMap((message) => (message.type === "delta" ? message.changes : []))
        .flatMap((change) => (change.entity === "client" ? [change] : []))
        .filter(({ id }) => id === "machine-2")
        .at(-1)?.value?.looks_like;
    await eventually(() => expect(told()).toBe(HOST));
    await backend.api("deleteClient", { params: { clientId: HOST } });
    expect(await clientOf(backend, "machine-2")).toMatchObject({ looks_like: null });
    await eventually(() => expect(told()).toBeNull());
  });
});

describe("a host that was set up anew under its id", () => {
  it("is known by its new key once that was approved, on the record and in the audit log after a crash, too", async () => {
    await using temp = await tempDirectory();
    await using stack = new AsyncDisposableStack();
    const first = stack.use(await spawnBackend(temp.path));
    const password = await makeFleet(first.api);
    await using host = await startAgent(agentOf(first.endpoint, password, HOST));
    await host.online();
    const { host_key: key } = await first.api.call("getClient", { params });
    await using anew = await copyOfHost(host, { isWithoutKey: true });
    await host.agent.stop();
    await using again = await startEnrolledAgent(anew.configFile);
    const waiting = await oneJoin({ api: first.api.call.bind(first.api) });
    expect(waiting).toMatchObject({ reason: "key-changed", known_host_key: key });
    await first.api.call("approveJoin", { params: { joinId: waiting.id } });
    await again.online();
    await first.kill();

    const second = stack.use(await spawnBackend(temp.path));
    const { host_key: now, host_key_change: change } = await second.api.call("getClient", {
      params,
    });
    expect(change).toMatchObject({ kind: "changed", before: key });
    expect(now).not.toBe(key);
    const query = { sort: "-seq", "filter[application]": "client.key" };
    const [entry] = await second.api.call("listAudit", { query });
    expect(entry).toMatchObject({ action: "update", client_id: HOST, affected_id: FLEET });
    expect(JSON.parse(entry?.request ?? "")).toMatchObject({ kind: "changed", before: key });
    expect(JSON.parse(entry?.response ?? "")).toEqual({ host_key: now });
  });
});

describe("S-02: who has the secret of a host, and not the host", () => {
  it.each([
    ["with a key of their own", true],
    ["without any key, as RPort's own client", false],
  ])("%s, are refused while it lives, and wait when they come after it", async (_, isKeyed) => {
    await using backend = await startBackend();
    const password = await fleetOf(backend);
    await using victim = await startAgent(agentOf(backend, password, HOST));
    await victim.online();
    const { host_key: key } = await clientOf(backend);
    const thief = keyedHost(backend.fingerprint);
    const options = {
      url: backend.url.replace("http", "ws"),
      user: FLEET,
      password,
      introduction: isKeyed ? thief.introduction({ ID: HOST }) : { ID: HOST },
      onRequest: thief.onRequest(HOST),
    };
    await expect(PeerAgent.join(options)).rejects.toThrow("client is already connected:");
    const seen = { same_host_key: false, hostname: "web01.example.com", count: 1 };
    expect(await clientOf(backend)).toMatchObject({ duplicate: seen, host_key: key });
    expect(victim.agent.state.kind).toBe("online");

    await victim.agent.stop();
    await isAway(backend);
    await using later = await PeerAgent.signIn(options);
    const end = endOf(later.introduce());
    const waiting = await oneJoin(backend);
    expect(waiting).toMatchObject({ reason: isKeyed ? "key-changed" : "key-missing" });
    expect(await clientOf(backend)).toMatchObject({ host_key: key, host_key_change: null });
    await backend.api("approveJoin", { params: { joinId: waiting.id } });
    expect(await end).toBe("in");
    const kind = isKeyed ? "changed" : "missing";
    const shown = { host_key: isKeyed ? thief.fingerprint : key };
    const change = { kind, before: key };
    expect(await clientOf(backend)).toMatchObject({ ...shown, host_key_change: change });
    await later[Symbol.asyncDispose]();
    await isAway(backend);
    await using _again = await PeerAgent.join(options);
    expect((await clientOf(backend)).host_key_change?.kind).toBe(kind);
    const entries = await keyEntries(backend);
    expect(entries.map(({ request }) => JSON.parse(request).kind)).toEqual([kind]);
  });
});
