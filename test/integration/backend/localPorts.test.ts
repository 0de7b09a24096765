import { clientIdSchema, tunnelIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { startAgentSide } from "../../support/agents/agentSide.ts";
import { createTunnel, joinFleet, rangesFrom } from "../../support/agents/fleetTunnels.ts";

const ID = clientIdSchema.parse("machine-1");

/** Ranges of this process, below those that backends use by themselves. */
const range = rangesFrom(12_000 + (process.pid % 15) * 60);

describe("a local port that somebody chooses", () => {
  it("takes a free port of a range, and tells the one that it took for good", async () => {
    const ports = range();
    await using side = await startAgentSide({ range: ports });
    await using _agent = await joinFleet(side);
    const local = `${ports.from}-${ports.from + 1}`;
    const taken: string[] = [];
    for (const remote of ["22", "23"]) {
      const tunnel = await createTunnel(side, ID, { remote, local, check_port: "0" });
      expect(tunnel.lport_random).toBe(false);
      taken.push(tunnel.lport);
    }
    expect(taken.toSorted()).toEqual([String(ports.from), String(ports.from + 1)]);
    await expect(createTunnel(side, ID, { remote: "24", local })).rejects.toThrow("are in use");
    await expect(createTunnel(side, ID, { remote: "22", local })).rejects.toMatchObject({
      code: "ERR_CODE_TUNNEL_EXIST",
    });
  });

  it("goes on at once, on the same local port, to another target", async () => {
    const ports = range();
    await using side = await startAgentSide({ range: ports });
    await using _agent = await joinFleet(side);
    const local = String(ports.from);
    const first = await createTunnel(side, ID, { remote: "22", local });
    await side.tunnels.remove(ID, tunnelIdSchema.parse(first.id), false);
    const second = await createTunnel(side, ID, { remote: "23", local });
    expect(second).toMatchObject({ lport: local, rport: "23" });
  });
});
