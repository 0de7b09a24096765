import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import {
  type AgentSide,
  type AgentSideOptions,
  SECRET,
  startAgentSide,
} from "../../support/agents/agentSide.ts";
import { createTunnel, joinFleet, rangesFrom } from "../../support/agents/fleetTunnels.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const MINUTE_MS = 60_000;
const ID = clientIdSchema.parse("machine-1");
const OTHER = clientIdSchema.parse("other");

/** Ranges of this process, below those that backends use by themselves. */
const range = rangesFrom(15_000 + (process.pid % 15) * 250);

const start = (options: AgentSideOptions = {}) => startAgentSide({ range: range(), ...options });

/** The limits that bit, and how often. */
function bitesOf({ limits }: AgentSide) {
  const bit = limits.states().filter(({ bites }) => bites > 0);
  return Object.fromEntries(bit.map(({ name, bites }) => [name, bites]));
}

describe("tunnels an agent asks for", () => {
  const remote = (change: object = {}) => ({
    protocol: "tcp",
    lhost: "0.0.0.0",
    lport: "",
    rhost: "127.0.0.1",
    rport: "22",
    ...change,
  });

  it("are opened on this server's own address, whatever it asks for", async () => {
    await using side = await start();
    await using agent = await PeerAgent.signIn({
      url: side.url,
      user: "fleet",
      password: SECRET,
      introduction: { Remotes: [remote()] },
    });
    const [answer] = await agent.introduce();
    expect(answer).toMatchObject({ lhost: "127.0.0.1", rport: "22", lport_random: true });
    expect(answer?.lport).toMatch(/^\d+$/);
    expect(side.tunnels.list()).toHaveLength(1);
  });

  it("have names and schemes that show what they are", async () => {
    await using side = await start();
    const hostile = { name: " db\u{202E}gpj.exe\u{200B}\n ", scheme: "ht\u{202E}tp" };
    await using _agent = await joinFleet(side, { introduction: { Remotes: [remote(hostile)] } });
    expect(side.tunnels.list()).toMatchObject([{ name: "dbgpj.exe", scheme: "http" }]);
  });

  it("are not doubled when it comes back", async () => {
    await using side = await start();
    const introduction = { Remotes: [remote()] };
    const agent = await joinFleet(side, { introduction });
    const [before] = side.tunnels.list();
    agent.close();
    await eventually(() => expect(side.tunnels.list()).toEqual([]));
    await using _again = await joinFleet(side, { introduction });
    expect(side.tunnels.list()).toEqual([before]);
  });

  it("S-02: never get the port of a remembered tunnel whose client is away", async () => {
    const clock = new FakeClock();
    const ports = range();
    await using side = await start({ clock, range: ports });
    const host = await joinFleet(side);
    const { lport } = await createTunnel(side, ID, { remote: "22", local: String(ports.to - 2) });
    host.close();
    await eventually(() => expect(side.tunnels.list()).toEqual([]));
    clock.advance(MINUTE_MS);
    const introduction = { ID: "thief", Remotes: [remote({ lport })] };
    await expect(joinFleet(side, { introduction })).rejects.toThrow("already in use");
    await using _back = await joinFleet(side);
    expect(side.tunnels.list()).toMatchObject([{ client_id: ID, lport }]);
  });

  it("S-01: are so many per credential, and leave people half of the ports whatever agents do", async () => {
    await using side = await start({
      range: range(40),
      limits: { asked_tunnels_per_credential: 12 },
    });
    await using stack = new AsyncDisposableStack();
    const ends: string[] = [];
    for (const user of ["one", "two", "three"]) {
      for (const n of [1, 2, 3]) {
        const Remotes = Array.from({ length: 4 }, (_, port) => remote({ rport: String(port + 1) }));
        const agent = joinFleet(side, { user, introduction: { ID: `${user}-${n}`, Remotes } });
        await agent.then(
          (one) => void stack.use(one),
          (error: Error) => ends.push(error.message),
        );
      }
    }
    expect(side.tunnels.list()).toHaveLength(20);
    expect(new Set(ends)).toEqual(
      new Set(["Agents have asked for as many tunnels as they may on this server."]),
    );
    const more = joinFleet(side, {
      user: "one",
      introduction: { ID: "one-4", Remotes: [remote()] },
    });
    await expect(more).rejects.toThrow("Agents of this credential may ask for 12 tunnels.");
    await using _host = await joinFleet(side);
    for (let n = 1; n <= 20; n++)
      await createTunnel(side, ID, { remote: String(n), check_port: "0", owner: `user ${n}` });
    expect(bitesOf(side)).toMatchObject({ asked_tunnels: 4, asked_tunnels_per_credential: 1 });
  });

  it("S-01: use up no ports by coming and going: those that rest count until they are free", async () => {
    const clock = new FakeClock();
    await using side = await start({ clock, range: range(20) });
    const restless = clientIdSchema.parse("restless");
    let port = 0;
    const visit = async (): Promise<void> => {
      const Remotes = Array.from({ length: 4 }, () => remote({ rport: String(++port) }));
      const agent = await joinFleet(side, { introduction: { ID: restless, Remotes } });
      agent.close();
      await eventually(() => expect(side.tunnels.tunnelsOf(restless)).toEqual([]));
    };
    await visit();
    await visit();
    for (let n = 0; n < 2; n++) {
      await expect(visit()).rejects.toThrow("as many tunnels as they may on this server");
    }
    await using _host = await joinFleet(side);
    for (let n = 1; n <= 10; n++)
      await createTunnel(side, ID, { remote: String(n), check_port: "0" });
    clock.advance(MINUTE_MS);
    await visit();
  });

  it.each([
    [{ max: 0, ports: null }, "may not ask for tunnels"],
    [{ max: 1, ports: null }, "may ask for 1 tunnels"],
    [{ max: 9, ports: { from: 1, to: 9 } }, "are in use"],
  ])("are a right of the credential: %j", async (right, text) => {
    await using side = await start({ askingRight: () => right });
    const introduction = { Remotes: [remote(), remote({ rport: "23" })] };
    await expect(joinFleet(side, { introduction })).rejects.toThrow(text);
    await using _plain = await joinFleet(side);
    await createTunnel(side, ID, { remote: "24", check_port: "0" });
  });

  it("stay within the ports of their credential, and free their place when they end", async () => {
    const ports = range();
    const own = { from: ports.from + 3, to: ports.from + 4 };
    await using side = await start({
      range: ports,
      askingRight: () => ({ max: 2, ports: own }),
    });
    const introduction = { Remotes: [remote(), remote({ rport: "23" })] };
    for (let visit = 0; visit < 3; visit++) {
      const agent = await joinFleet(side, { introduction });
      const taken = side.tunnels.list().map(({ lport }) => Number(lport));
      expect(taken.toSorted()).toEqual([own.from, own.to]);
      agent.close();
      await eventually(() => expect(side.tunnels.list()).toEqual([]));
    }
    const outside = { Remotes: [remote({ lport: String(ports.from) })] };
    await using _outside = await joinFleet(side, { introduction: outside });
    expect(side.clients.get(ID)?.left_out).toMatchObject([
      { reason: expect.stringContaining("not among allowed ports") },
    ]);
  });

  it("are left out, and told, where they could never be opened here", async () => {
    const ports = range();
    await using side = await start({ range: ports });
    const Remotes = [
      remote(),
      remote({ rport: "23", lport: "80" }),
      remote({ rport: "24", lport: String(ports.from), lhost: "192.0.2.1" }),
    ];
    await using _agent = await joinFleet(side, { introduction: { Remotes } });
    expect(side.tunnels.list()).toMatchObject([{ rport: "22" }]);
    expect(side.clients.get(ID)?.left_out).toMatchObject([
      { reason: expect.stringContaining("Local port 80 is not among allowed ports") },
      { reason: "192.0.2.1 is not an address of this server." },
    ]);
  });

  it("fail the whole registration when one cannot be opened now, and the list says why", async () => {
    const ports = range();
    await using side = await start({ range: ports });
    await using _other = await joinFleet(side, { introduction: { ID: "other" } });
    const { lport } = await createTunnel(side, OTHER, { remote: "22", local: `${ports.to}` });
    const text = new RegExp(`Local port ${lport} already in use`);
    const introduction = { Remotes: [remote(), remote({ rport: "23", lport })] };
    await expect(joinFleet(side, { introduction })).rejects.toThrow(text);
    await eventually(() => expect(side.tunnels.list()).toMatchObject([{ client_id: OTHER }]));
    await eventually(() => expect(side.registry.counts.connected).toBe(1));
    expect(side.refused).toMatchObject([{ why: "tunnel", text: expect.stringMatching(text) }]);
  });

  it("take no port away from others when the registration fails", async () => {
    const { from, to } = range(4);
    await using side = await start({ range: { from, to } });
    await using _other = await joinFleet(side, { introduction: { ID: "other" } });
    await createTunnel(side, OTHER, { remote: "22", local: `${to}` });
    const introduction = { Remotes: [remote(), remote({ rport: "23", lport: `${to}` })] };
    await expect(joinFleet(side, { introduction })).rejects.toThrow(`Local port ${to}`);
    await eventually(() => expect(side.tunnels.list()).toHaveLength(1));
    for (let port = from; port < to; port++) {
      const query = { remote: `${port}`, local: `${port}`, owner: `user of ${port}` };
      const opened = await createTunnel(side, OTHER, query);
      expect(opened.lport).toBe(String(port));
    }
  });

  it.each([
    [{}, "0.0.0.0", "0.0.0.0"],
    [{}, "127.0.0.1", "127.0.0.1"],
    [{}, "", "127.0.0.1"],
    [{ bind: "127.0.0.1" }, "0.0.0.0", "127.0.0.1"],
    [{ bind: "0.0.0.0" }, "127.0.0.1", "127.0.0.1"],
    [{ bind: "0.0.0.0" }, "", "0.0.0.0"],
  ])("listen where the server's settings %j and the host's %j say", async (bind, lhost, place) => {
    const ports = range();
    await using side = await start({ range: ports, ...bind });
    const Remotes = [remote({ lhost, lport: String(ports.from) })];
    await using _agent = await joinFleet(side, { introduction: { Remotes } });
    expect(side.tunnels.list()).toMatchObject([{ lhost: place, lport: String(ports.from) }]);
  });

  it("may have another target on the same port at once, when the host's file was changed", async () => {
    const ports = range();
    await using side = await start({ range: ports });
    const to = (rport: string) => ({ Remotes: [remote({ lport: String(ports.from), rport })] });
    const agent = await joinFleet(side, { introduction: to("22") });
    agent.close();
    await eventually(() => expect(side.tunnels.list()).toEqual([]));
    await using _again = await joinFleet(side, { introduction: to("23") });
    expect(side.tunnels.list()).toMatchObject([{ lport: String(ports.from), rport: "23" }]);
  });
});
