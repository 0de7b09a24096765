import { describe, expect, it } from "vitest";
import { startAgent } from "../support/agent.ts";
import { startBackend } from "../support/backend.ts";
import { eventually } from "../support/eventually.ts";
import { agentOf, makeFleet } from "../support/fleet.ts";

const [OLD, NEW] = ["web-old", "web-new"];
const params = { clientId: NEW };
const body = { from: OLD };

describe("moving a record over to the client that the host is now", () => {
  it("takes name, tags and labels along, keeps them at the next connection, and leaves nothing behind", async () => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    const old = agentOf(backend, password, OLD);
    const client = { ...old.client, name: "web-01", tags: ["prod"], labels: { site: "berlin" } };
    {
      await using agent = await startAgent({ ...old, client });
      await agent.online();
    }
    const fresh = agentOf(backend, password, NEW);
    const own = { ...fresh.client, name: "", tags: ["debian"] };
    {
      await using agent = await startAgent({ ...fresh, client: own });
      await agent.online();
      await eventually(async () =>
        expect(await backend.api("getClient", { params: { clientId: OLD } })).toMatchObject({
          connection_state: "disconnected",
        }),
      );
      const moved = await backend.api("moveClient", { params, body });
      const wanted = { name: "web-01", tags: ["prod", "debian"], labels: { site: "berlin" } };
      expect(moved).toMatchObject({ id: NEW, ...wanted, connection_state: "connected" });
    }
    await using again = await startAgent({ ...fresh, client: own });
    await again.online();
    expect(await backend.api("listClients")).toMatchObject([{ id: NEW, name: "web-01" }]);
    const audit = await backend.api("listAudit", { query: { "filter[action]": "move" } });
    expect(audit).toMatchObject([{ application: "client", affected_id: OLD, client_id: NEW }]);
  });

  it.each([
    ["itself", NEW, 400],
    ["a client that is not there", "nobody", 404],
    ["a client that is connected", OLD, 409],
  ])("is refused in words for %s", async (_, from, status) => {
    await using backend = await startBackend();
    const password = await makeFleet({ call: backend.api });
    await using old = await startAgent(agentOf(backend, password, OLD));
    await using fresh = await startAgent(agentOf(backend, password, NEW));
    await Promise.all([old.online(), fresh.online()]);
    const moving = backend.api("moveClient", { params, body: { from } });
    await expect(moving).rejects.toMatchObject({ status });
    expect(await backend.api("listClients")).toHaveLength(2);
  });
});
