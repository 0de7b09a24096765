import { expect, it, vi } from "vitest";
import { KeyedStream } from "../../../backend/protocol/src/wire/transport/keyedStream.ts";
import { Forwarder } from "../../../extension/src/tunnels/forwarder.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { inParallel, transfer, transferTarget } from "../../support/wire/transfers.ts";

const HOST = "host-1";
const TRANSFERS = 100;
const transportLimits = { rekeyBytes: 2 << 20 };

it("200 transfers through backend, agent and editor arrive intact while both sides ask for new keys every 2 MB", async () => {
  const asking = vi.spyOn(KeyedStream.prototype, "rekey");
  await using target = await transferTarget();
  await using backend = await startBackend({ transportLimits });
  const { password } = await backend.api("createCredential", { body: { id: FLEET } });
  await using agent = await startAgent(agentOf(backend, password, HOST), { transportLimits });
  await agent.online();

  const query = { remote: String(target.port), check_port: "0" };
  const tunnel = await backend.api("createTunnel", { params: { clientId: HOST }, query });
  const { url, token } = backend;
  const remote = { host: "127.0.0.1", port: target.port };
  const access = async () => ({ kind: "ready", url, authorization: `Bearer ${token}` }) as const;
  const forwarder = await Forwarder.listen({ access, clientId: HOST, remote }, [0]);
  using _closing = { [Symbol.dispose]: () => forwarder.close() };

  const ports = [Number(tunnel.lport), forwarder.port];
  const good = await Promise.all(
    ports.map((port, side) =>
      inParallel(TRANSFERS, (index) => transfer(port, index + side * TRANSFERS)),
    ),
  );
  expect(good).toEqual([TRANSFERS, TRANSFERS]);
  const askedBy = new Set(asking.mock.contexts);
  expect(askedBy.size).toBe(2);
  expect(asking.mock.calls.length).toBeGreaterThan(20);
  expect(agent.agent.state.kind).toBe("online");
  await eventually(async () => {
    const [open] = await backend.api("listTunnels");
    expect(open?.connections).toBe(0);
    expect(forwarder.connections).toBe(0);
  });
  asking.mockRestore();
});
