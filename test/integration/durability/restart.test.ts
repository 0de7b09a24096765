import type { Tunnel } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { respawnAgent, spawnAgent, startAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";
import { exchange, pattern, tcpServer } from "../../support/wire/wireTunnel.ts";

const HOST = "host-1";
/** How long a host may be away when its server was restarted. */
const BACK_MS = 5_000;
/**
 * The rounds of pings that find out about agents that are gone, and how long an answer may take.
 */
const ROUND_MS = 60_000;
const ANSWER_MS = 20_000;
const params = { clientId: HOST };

const echoServer = () => tcpServer((socket) => socket.pipe(socket));

/** Whether bytes come back through a tunnel as they went in. */
async function echoes({ lport }: Pick<Tunnel, "lport">): Promise<boolean> {
  const sent = pattern(200_000);
  return (await exchange(Number(lport), sent, "half-close")).equals(sent);
}

const stateOf = async ({ api }: Pick<SpawnedBackend, "api">) =>
  (await api.call("getClient", { params })).connection_state;

describe("a backend that is restarted", () => {
  it("S-32: by SIGKILL right after a host's first join still knows the host", async () => {
    await using temp = await tempDirectory();
    await using first = await spawnBackend(temp.path);
    const password = await makeFleet(first.api);
    await using agent = await startAgent(agentOf(first.endpoint, password, HOST));
    await agent.online();
    first.signal("SIGKILL");
    await first.ended;

    // on another port, so that the host cannot introduce itself again
    await using second = await spawnBackend(temp.path);
    expect(await stateOf(second)).toBe("disconnected");
  });

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "by %s has its agents back within 5 seconds, with the tunnel that was opened last",
    async (signal) => {
      await using temp = await tempDirectory();
      await using echo = await echoServer();
      await using first = await spawnBackend(temp.path);
      const password = await makeFleet(first.api);
      await using agent = await startAgent(agentOf(first.endpoint, password, HOST));
      await agent.online();
      const query = { remote: String(echo.port) };
      const gone = await first.api.call("createTunnel", { params, query });
      const other = { remote: String(echo.port), acl: "127.0.0.1" };
      const tunnel = await first.api.call("createTunnel", { params, query: other });
      await first.api.call("deleteTunnel", { params: { ...params, tunnelId: gone.id } });
      first.signal(signal);
      await first.ended;

      const { port } = new URL(first.endpoint.url);
      await using second = await spawnBackend(temp.path, ["--port", port]);
      const began = performance.now();
      await agent.online();
      await eventually(async () => expect(await stateOf(second)).toBe("connected"));
      expect(performance.now() - began).toBeLessThan(BACK_MS);
      const tunnels = await eventually(async () => {
        const found = await second.api.call("listTunnels");
        expect(found).toHaveLength(1);
        return found;
      });
      expect(tunnels).toMatchObject([{ id: tunnel.id, lport: tunnel.lport, acl: "127.0.0.1" }]);
      expect(await echoes(tunnel)).toBe(true);
    },
  );
});

describe("an agent", () => {
  it("that is killed and started again is the same client, with its tunnels", async () => {
    await using temp = await tempDirectory();
    await using echo = await echoServer();
    await using backend = await spawnBackend(temp.path);
    const password = await makeFleet(backend.api);
    await using agent = await spawnAgent(agentOf(backend.endpoint, password, HOST));
    await eventually(async () => expect(await stateOf(backend)).toBe("connected"));
    const query = { remote: String(echo.port) };
    const tunnel = await backend.api.call("createTunnel", { params, query });
    agent.signal("SIGKILL");
    await eventually(async () => expect(await stateOf(backend)).toBe("disconnected"));
    expect(await backend.api.call("listTunnels")).toEqual([]);

    await using _again = respawnAgent(agent);
    await eventually(async () => expect(await echoes(tunnel)).toBe(true));
    expect(await backend.api.call("listTunnels")).toMatchObject([{ id: tunnel.id }]);
    expect((await backend.api.call("listClients")).map(({ id }) => id)).toEqual([HOST]);
  });

  it("F-08: that hangs with its connection open is shown as gone after a round and an answer's time, and comes back", async () => {
    const clock = new FakeClock();
    await using backend = await startBackend({ clock });
    const { password } = await backend.api("createCredential", { body: { id: "fleet" } });
    await using healthy = await startAgent(agentOf(backend, password, "healthy"));
    await using hanging = await spawnAgent(agentOf(backend, password, HOST));
    const { clients } = backend.backend;
    const states = () =>
      Object.fromEntries([...clients.list()].map(({ id, connection_state: state }) => [id, state]));
    await healthy.online();
    await eventually(() => expect(states()[HOST]).toBe("connected"));
    hanging.signal("SIGSTOP");

    clock.advance(ROUND_MS);
    const heard = [...clients.list()].map(({ last_heartbeat_at: at }) => at);
    await eventually(() => {
      const now = [...clients.list()].map(({ last_heartbeat_at: at }) => at);
      expect(now).not.toEqual(heard);
    });
    expect(states()).toEqual({ healthy: "connected", [HOST]: "connected" });
    clock.advance(ANSWER_MS);
    await eventually(() =>
      expect(states()).toEqual({ healthy: "connected", [HOST]: "disconnected" }),
    );
    hanging.signal("SIGCONT");
    await eventually(() => expect(states()[HOST]).toBe("connected"), 10_000);
    expect(healthy.agent.state.kind).toBe("online");
  });
});
