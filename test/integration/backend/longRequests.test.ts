import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import type { RportError } from "@rport/protocol/errors";
import { clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { startAgent } from "../../support/agents/agent.ts";
import { SECRET, startAgentSide } from "../../support/agents/agentSide.ts";
import { PeerAgent, type PeerAgentOptions } from "../../support/agents/peerAgent.ts";
import { eventually } from "../../support/eventually.ts";
import { tcpServer } from "../../support/wire/wireTunnel.ts";

const ID = clientIdSchema.parse("machine-1");
const NEXT = { secretId: secretIdSchema.parse("secret-2"), secret: "n".repeat(43) };

/** A name that is looked up only when the test says so. */
function slowName() {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<readonly string[]>();
  const resolve = async () => {
    asked.resolve();
    return await answer.promise;
  };
  return { resolve, asked: asked.promise, answer: answer.resolve };
}

describe("a check of a port that takes long", () => {
  it("keeps neither a ping nor a rotation waiting", async () => {
    await using side = await startAgentSide();
    await using target = await tcpServer((socket) => socket.end());
    const { resolve, asked, answer } = slowName();
    await using agent = await startAgent({ server: side.url, client: { id: ID } }, { resolve });
    await agent.online();
    const creating = side.tunnels.create(
      ID,
      { remote: `slow.test:${target.port}` },
      { owner: "ann" },
    );
    await asked;
    expect(await side.presence.connected(ID)?.ping(20_000)).toBe(true);
    expect(await side.presence.connected(ID)?.offerSecret(NEXT)).toBe(true);
    answer(["127.0.0.1"]);
    expect(await creating).toMatchObject({ rhost: "slow.test" });
    expect(side.door.counters.afterLogin).toBe(0);
  });

  it("ends with its connection, and leaves nothing behind for the next", async () => {
    await using side = await startAgentSide();
    const { resolve, asked, answer } = slowName();
    await using agent = await startAgent({ server: side.url, client: { id: ID } }, { resolve });
    await agent.online();
    const creating = side.tunnels.create(ID, { remote: "slow.test:1" }, { owner: "ann" });
    const refused = expect(creating).rejects.toMatchObject({ code: "CLIENT_OFFLINE" });
    await asked;
    const before = side.presence.connected(ID);
    before?.cut("for the test");
    await refused;
    answer(["127.0.0.1"]);
    await eventually(() => expect(side.presence.connected(ID) ?? before).not.toBe(before), 20_000);
    expect(await side.presence.connected(ID)?.ping(20_000)).toBe(true);
    expect(side.door.counters.afterLogin).toBe(0);
  });
});

describe("an agent that tells ends", () => {
  const join = (url: string, onRequest: PeerAgentOptions["onRequest"] & object) =>
    PeerAgent.join({
      url,
      user: "fleet",
      password: SECRET,
      introduction: { ID, Features: [FEATURES.longRequests] },
      onRequest,
    });

  it("is refused and counted when nothing of that id is under way, and the answer stays", async () => {
    await using side = await startAgentSide();
    await using agent = await join(side.url, (name) =>
      name === REQUESTS.checkPort ? Buffer.from('{"accepted":"2"}') : undefined,
    );
    const creating = side.tunnels.create(ID, { remote: "22" }, { owner: "ann" });
    const shut = expect(creating).rejects.toMatchObject({ detail: "shut" });
    await eventually(() => expect(agent.heardOf(REQUESTS.checkPort)).toHaveLength(1));
    expect(JSON.parse(agent.heardOf(REQUESTS.checkPort)[0] ?? "")).toMatchObject({ long_id: "2" });
    const end = (long_id: string, Open: boolean) =>
      agent.ask(REQUESTS.requestEnded, { long_id, ok: true, result: { Open, ErrMsg: "shut" } });
    expect(await end("3", true)).toEqual({ ok: false, text: "unknown request" });
    expect(await end("2", false)).toEqual({ ok: true, text: "" });
    expect(await end("2", true)).toEqual({ ok: false, text: "unknown request" });
    await shut;
    expect(side.door.counters.afterLogin).toBe(2);
  });

  it("may answer at once, too", async () => {
    await using side = await startAgentSide();
    await using _agent = await join(side.url, () => undefined);
    await expect(
      side.tunnels.create(ID, { remote: "22" }, { owner: "ann" }),
    ).resolves.toBeDefined();
  });

  it("is asked by others, too, while one user asks for more tunnels than it can check", async () => {
    await using side = await startAgentSide();
    await using agent = await join(side.url, (name, payload) =>
      name === REQUESTS.checkPort ? acceptAnything(payload) : undefined,
    );
    const ask = (owner: string) =>
      side.tunnels.create(ID, { remote: "22" }, { owner }).catch(({ code }: RportError) => code);
    const anna = Array.from({ length: 40 }, () => ask("anna"));
    const refused = await Promise.all(anna.slice(16));
    expect(new Set(refused)).toEqual(new Set(["TOO_MANY_REQUESTS"]));
    await eventually(() => expect(agent.heardOf(REQUESTS.checkPort)).toHaveLength(16));
    const bert = ask("bert");
    await eventually(() => expect(agent.heardOf(REQUESTS.checkPort)).toHaveLength(17));
    agent.close();
    expect(await bert).toBe("CLIENT_OFFLINE");
    await Promise.all(anna);
  });

  it("is not asked for more at once than it may have under way", async () => {
    await using side = await startAgentSide();
    await using agent = await join(side.url, acceptSlow);
    const link = side.presence.connected(ID);
    const asking = Array.from({ length: 40 }, () => link?.askLong("slow", {}).catch(String));
    const texts = await Promise.all(asking.slice(32));
    expect(texts).toEqual(
      Array(8).fill(expect.stringContaining("The client works on 32 questions of several users")),
    );
    await eventually(() => expect(agent.heardOf("slow")).toHaveLength(32));
    agent.close();
    const ends = await Promise.all(asking.slice(0, 32));
    expect(new Set(ends)).toEqual(new Set([expect.stringMatching(/^WireError: /)]));
  });
});

/** Accepts whatever is called `slow`. */
function acceptSlow(name: string, payload: Buffer): Buffer | undefined {
  return name === "slow" ? acceptAnything(payload) : undefined;
}

function acceptAnything(payload: Buffer): Buffer {
  return Buffer.from(JSON.stringify({ accepted: JSON.parse(payload.toString()).long_id }));
}
