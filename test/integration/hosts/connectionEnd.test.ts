import { describe, expect, it } from "vitest";
import { spawnAgent, startAgent, startEnrolledAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOST = "machine-1";
const params = { clientId: HOST };
const AWAY = { connection_state: "disconnected" };

describe("a client that is away", () => {
  it("says that its agent was stopped, and nothing of it once it is back", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    const client = () => backend.api("getClient", { params });
    await using host = await startAgent(agentOf(backend, password, HOST));
    await host.online();
    expect(await client()).toMatchObject({ connection_end: null });
    await host.agent.stop();
    await eventually(async () =>
      expect(await client()).toMatchObject({ ...AWAY, connection_end: { kind: "stopped" } }),
    );
    await using again = await startEnrolledAgent(host.configFile);
    await again.online();
    expect(await client()).toMatchObject({ connection_end: null });
  });

  it("says that its connection broke when its process is killed", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    using events = backend.events();
    await events.snapshot();
    await using host = await spawnAgent(agentOf(backend, password, HOST));
    const client = () => backend.api("getClient", { params });
    await events.until((messages) =>
      JSON.stringify(messages).includes('"connection_state":"connected"') ? true : undefined,
    );
    host.signal("SIGKILL");
    await eventually(async () =>
      expect(await client()).toMatchObject({ ...AWAY, connection_end: { kind: "lost" } }),
    );
  });

  it("says that it was cut off, and why, when its secret was revoked", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    await using host = await startAgent(agentOf(backend, password, HOST));
    await host.online();
    await backend.api("revokeClient", { params });
    const { connection_end: end } = await backend.api("getClient", { params });
    expect(end).toMatchObject({ kind: "cut", text: expect.stringContaining("revoked") });
  });

  it("keeps that over a restart, and says of the others that the server ended", async () => {
    await using directory = await tempDirectory();
    const first = await spawnBackend(directory.path);
    const password = await makeFleet(first.api);
    const ids = ["machine-1", "machine-2"];
    const hosts = await Promise.all(
      ids.map((id) => startAgent(agentOf(first.endpoint, password, id))),
    );
    await Promise.all(hosts.map((host) => host.online()));
    const [early, late] = hosts;
    await early?.[Symbol.asyncDispose]();
    await eventually(async () =>
      expect(await first.api.call("getClient", { params })).toMatchObject(AWAY),
    );
    // what is remembered of a client is on disk within a second, which a write of another one waits for
    await first.api.call("createCredential", { body: { id: "another" } });
    first.signal("SIGTERM");
    await first.ended;
    await late?.[Symbol.asyncDispose]();

    await using second = await spawnBackend(directory.path);
    const ends = await Promise.all(
      ids.map(async (clientId) => {
        const client = await second.api.call("getClient", { params: { clientId } });
        return client.connection_end?.kind;
      }),
    );
    expect(ends).toEqual(["stopped", "server"]);
  });
});
