import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { decodeHostKey } from "@rport/protocol/hostKey";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { type AgentSide, SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { type KeyedHost, keyedHost, type Lie } from "../../support/agents/hostKeys.ts";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";

const ID = clientIdSchema.parse("machine-1");

function join(side: AgentSide, host: KeyedHost, change: Partial<PeerAgentOptions> & Lie = {}) {
  const { clientId, serverFingerprint, ...options } = change;
  const lie = { clientId, serverFingerprint };
  return PeerAgent.join({
    url: side.url,
    user: "fleet",
    password: SECRET,
    introduction: host.introduction({}),
    onRequest: host.onRequest(ID, lie),
    ...options,
  });
}

describe("a host key", () => {
  it("is in the record once it was proven", async () => {
    await using side = await startAgentSide();
    const host = keyedHost();
    await using agent = await join(side, host);
    expect(side.clients.get(ID)?.host_key).toBe(host.fingerprint);
    expect(agent.heard.map(({ name }) => name)[0]).toBe(REQUESTS.proveHostKey);
  });

  it("is none for a Go client, which is not asked", async () => {
    await using side = await startAgentSide();
    const login = { url: side.url, user: "fleet", password: SECRET };
    await using agent = await PeerAgent.join(login);
    expect(side.clients.get(ID)?.host_key).toBeNull();
    expect(agent.heardOf(REQUESTS.proveHostKey)).toEqual([]);
  });

  it("of our own agent is proven, and the same after it was started again", async () => {
    await using side = await startAgentSide();
    await using agent = await startAgent({ server: side.url, client: { id: ID } });
    await agent.online();
    const seen = decodeHostKey(agent.agent.identity.hostKey ?? "")?.fingerprint;
    expect(seen).toMatch(/^SHA256:/);
    expect(side.clients.get(ID)).toMatchObject({ host_key: seen });
    expect(side.clients.get(ID)?.features).toContain(FEATURES.hostKey);
  });

  it.each<[string, Lie]>([
    ["another server", { serverFingerprint: `SHA256:${"A".repeat(43)}` }],
    ["another client", { clientId: "machine-2" }],
  ])("S-02: proven for %s is not taken", async (_what, lie) => {
    await using side = await startAgentSide();
    await expect(join(side, keyedHost(), lie)).rejects.toThrow(
      "the proof of the host key is wrong",
    );
    expect(side.clients.get(ID)).toBeUndefined();
    expect(side.door.counters.afterLogin).toBe(1);
  });

  it("S-02: cannot be claimed by who does not have it", async () => {
    await using side = await startAgentSide();
    const [victim, thief] = [keyedHost(), keyedHost()];
    const stolen = victim.introduction({});
    const joining = join(side, thief, { introduction: stolen });
    await expect(joining).rejects.toThrow("the proof of the host key is wrong");
    const refusing = join(side, victim, { onRequest: () => undefined });
    await expect(refusing).rejects.toThrow("did not prove that it has its host key");
    expect([...side.clients.list()]).toEqual([]);
  });

  it.each(["", "AAAA", "x".repeat(68)])(
    "that is none (%j) is refused in words",
    async (HostKey) => {
      await using side = await startAgentSide();
      const host = keyedHost();
      const joining = join(side, host, { introduction: host.introduction({ HostKey }) });
      await expect(joining).rejects.toThrow("not an Ed25519 key");
    },
  );

  it("that is not proven within five seconds is refused in words, and the connection ends", async () => {
    const clock = new FakeClock();
    await using side = await startAgentSide({ clock });
    const host = keyedHost();
    const heard: string[] = [];
    const silent: PeerAgentOptions["onRequest"] = (name) => {
      heard.push(name);
      return name === REQUESTS.proveHostKey ? new Promise<Buffer>(() => {}) : undefined;
    };
    const joining = join(side, host, { onRequest: silent });
    const refused = expect(joining).rejects.toThrow("did not prove its host key in time");
    await eventually(() => expect(heard).toContain(REQUESTS.proveHostKey));
    clock.advance(5_000);
    await refused;
    clock.advance(250);
    expect([...side.clients.list()]).toEqual([]);
  });
});
