import { REQUESTS } from "@rport/protocol/agent";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { createTunnel, joinFleet, rangesFrom } from "../../support/agents/fleetTunnels.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { eventually } from "../../support/eventually.ts";

const ID = clientIdSchema.parse("machine-1");
const range = rangesFrom(11_000 + (process.pid % 15) * 60);

describe("a client that answers with more than there is to say", () => {
  it("is not read: what it says of a port cannot be", async () => {
    await using side = await startAgentSide({ range: range() });
    const members = Array.from({ length: 10_000 }, (_, n) => [`member ${n}`, 0]);
    const long = Buffer.from(JSON.stringify({ Open: true, ...Object.fromEntries(members) }));
    const onRequest = (name: string) => (name === REQUESTS.checkPort ? long : undefined);
    await using _agent = await joinFleet(side, { introduction: { Version: "0.9.14" }, onRequest });
    const creating = createTunnel(side, ID, { remote: "22", check_port: "true" });
    await expect(creating).rejects.toThrow("The client's answer cannot be read.");
  });
});

describe("an old client of RPort's with a tunnel that is remembered", () => {
  it.each([
    ["0.5.5", []],
    ["0.6.4", ['{"Remote":"127.0.0.1:22"}']],
  ])("gets it back also when it reads nothing before it is in: %s", async (Version, asked) => {
    await using side = await startAgentSide({ range: range() });
    const introduction = { Version };
    const first = await joinFleet(side, { introduction });
    await createTunnel(side, ID, { remote: "22" });
    first.close();
    await eventually(() => expect(side.tunnels.list()).toEqual([]));
    let isIn = false;
    const reads = Promise.withResolvers<void>();
    const agent = await PeerAgent.signIn({
      url: side.url,
      user: "fleet",
      password: SECRET,
      introduction,
      onRequest: async () => {
        if (!isIn && Version === "0.5.5") await reads.promise;
        return undefined;
      },
    });
    await using _agent = agent;
    await agent.introduce();
    isIn = true;
    reads.resolve();
    expect(side.tunnels.list()).toHaveLength(1);
    expect(agent.heardOf(REQUESTS.checkTunnelAllowed)).toEqual(asked);
  });
});
