import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { Nodes } from "../../../extension/src/model/node.ts";
import { systemClock } from "../../../extension/src/support/clock.ts";
import { tunnelTooltipOf } from "../../../extension/src/views/tunnelTooltips.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, makeFleet } from "../../support/backend/fleet.ts";
import { Members } from "../../support/backend/member.ts";
import { eventually } from "../../support/eventually.ts";
import { editorWindow } from "../../support/extensionServer.ts";
import { pattern, tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = "web-01";
const params = { clientId: ID };
const MEGABYTE = 1 << 20;

/** A backend with a real agent, in front of a service that answers three bytes for each one. */
async function setUp() {
  const stack = new AsyncDisposableStack();
  const backend = stack.use(await startBackend());
  const password = await makeFleet({ call: backend.api });
  const target = stack.use(
    await tcpServer((socket) => {
      socket.on("data", (chunk) => socket.write(Buffer.concat([chunk, chunk, chunk])));
      socket.on("end", () => socket.end());
    }),
  );
  const agent = stack.use(await startAgent(agentOf(backend, password, ID)));
  await agent.online();
  const query = { remote: String(target.port) };
  const tunnel = await backend.api("createTunnel", { params, query });
  const ofTunnel = { clientId: ID, tunnelId: tunnel.id };
  return {
    backend,
    target,
    tunnel,
    looked: () => backend.api("getTunnelTraffic", { params: ofTunnel }),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** Sends so many bytes, waits for the three times as many that come back, and leaves the connection open. */
async function talk(port: number, bytes: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  let received = 0;
  const all = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      received += chunk.length;
      if (received === 3 * bytes) resolve();
    });
  });
  socket.write(pattern(bytes));
  await all;
  return socket;
}

async function hangUp(socket: Socket): Promise<void> {
  socket.end();
  await once(socket, "close");
}

describe("what goes through a tunnel of the server", () => {
  it("is counted by tunnel, both ways, while it goes and after", async () => {
    await using started = await setUp();
    const { tunnel, looked } = started;
    const nothing = { connections: 0, connections_total: 0, used_at: null };
    expect(await looked()).toMatchObject({
      ...nothing,
      bytes_to_client: 0,
      bytes_from_client: 0,
    });

    const socket = await talk(Number(tunnel.lport), MEGABYTE);
    const bytes = { bytes_to_client: MEGABYTE, bytes_from_client: 3 * MEGABYTE };
    const open = await looked();
    expect(open).toMatchObject({ connections: 1, connections_total: 1, ...bytes });

    await hangUp(socket);
    await eventually(async () => {
      expect(await looked()).toMatchObject({ connections: 0, connections_total: 1, ...bytes });
    });
    const { since, used_at: usedAt } = await looked();
    expect(Date.parse(usedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(open.used_at ?? ""));
    expect(Date.parse(usedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(since));
  });

  it("is no part of the tunnel as RPort's programs know it", async () => {
    await using started = await setUp();
    const [tunnel] = await started.backend.api("listTunnels");
    expect(Object.keys(tunnel ?? {}).filter((key) => /bytes|used|total/.test(key))).toEqual([]);
  });

  it("is told of tunnels that are open, to those who may open them and see the client", async () => {
    await using started = await setUp();
    const { backend, tunnel } = started;
    const none = { params: { clientId: ID, tunnelId: "99" } };
    await expect(backend.api("getTunnelTraffic", none)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    const members = new Members(backend);
    await members.group("lookers");
    await members.group("operators", "tunnels");
    const path = `/clients/${ID}/tunnels/${tunnel.id}/traffic`;
    const looker = await members.add("anna", ["lookers"]);
    expect(await looker.api.raw("GET", path)).toMatchObject({ status: 403 });
    const operator = await members.add("otto", ["operators"]);
    expect(await operator.api.raw("GET", path)).toMatchObject({ status: 404 });
    await backend.api("deleteTunnel", { params: { clientId: ID, tunnelId: tunnel.id } });
    await expect(started.looked()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("the tooltip of a tunnel in the editor", () => {
  it.each(["this computer", "the server"])(
    "tells what went through it, and what goes through now: on %s",
    async (where) => {
      await using started = await setUp();
      const { backend, target, tunnel } = started;
      const { url, token } = backend;
      using window = editorWindow(url, token);
      window.server.connect();
      await eventually(() => expect(window.server.state.kind).toBe("connected"));
      expect(window.server.mirror.maps.tunnels.size).toBe(1);
      const remote = { host: "127.0.0.1", port: target.port };
      const serverKey = window.server.key;
      const client = { serverKey, clientId: ID, clientName: ID, isThisComputer: false };
      const local = await window.tunnels.open({ ...client, remote, localPort: undefined });
      const isLocal = where === "this computer";
      const port = isLocal ? local.localPort : Number(tunnel.lport);
      const parts = { serverKey, clientId: ID };
      const node = isLocal
        ? ({ kind: "localTunnel", ...parts, tunnelId: local.id } as const)
        : ({ kind: "serverTunnel", ...parts, tunnelKey: `${ID}/${tunnel.id}` } as const);
      const rows = { fleet: window.fleet, now: () => Date.now() };
      const hover = async () => {
        const found = new Nodes().get(node);
        const deps = { rows, clock: systemClock, isOver: () => false };
        return (await tunnelTooltipOf(found, deps)).replaceAll("\\", "");
      };
      expect(await hover()).toContain("Nobody has used it yet");

      const socket = await talk(port, MEGABYTE);
      expect(await hover()).toMatch(
        /At this moment nothing goes .*3.15 MB received, 1.05 MB sent/s,
      );
      const sending = setInterval(() => socket.write(pattern(100)), 50);
      const busy = await hover();
      clearInterval(sending);
      expect(busy).toMatch(/Now: [\d.]+ (bytes|KB)\/s received, [\d.]+ (bytes|KB)\/s sent/);
      expect(busy).toContain("1 connection since then, 1 of them open.");

      await hangUp(socket);
      await eventually(async () => {
        expect(await hover()).toMatch(/0 of them open.*Last used: just now/s);
      });
    },
  );
});
