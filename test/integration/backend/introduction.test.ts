import { REQUESTS } from "@rport/protocol/agent";
import { RportError } from "@rport/protocol/errors";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { Denial } from "../../../backend/src/credentials/admission/verdicts.ts";
import {
  type AgentSide,
  type AgentSideOptions,
  SECRET,
  startAgentSide,
} from "../../support/agents/agentSide.ts";
import { PeerAgent } from "../../support/agents/peerAgent.ts";

const ID = clientIdSchema.parse("machine-1");
const FULL = new RportError("DISK_FULL", "The server's disk is full.");
const UNFORESEEN = "the server could not register the client; try again later";
const OTHER_PROCESS = { SessionID: "5c2a4c1e-0000-4000-8000-000000000002" };
const FLOOD = { kind: "refused", why: "join-rate", text: "Too many; try again." } as const;

const signIn = (side: AgentSide, introduction = {}) =>
  PeerAgent.signIn({ url: side.url, user: "fleet", password: SECRET, introduction });
const failing = (error: Error) => () => Promise.reject(error);
const onDisk = (why: Denial["why"]): Denial => ({ why, text: FULL.message });
const byBug = (why: Denial["why"]): Denial => ({ why, text: UNFORESEEN });
const tunnels = (error: Error): AgentSideOptions => ({
  door: {
    tunnels: {
      sorted: () => ({ wanted: [], leftOut: [] }),
      attach: failing(error),
      detach: () => {},
    },
  },
});

describe("a step of an introduction that fails", () => {
  it.each<[string, AgentSideOptions, Denial]>([
    ["the join, on the disk", { join: failing(FULL) }, onDisk("protocol")],
    ["the join, by a bug", { join: failing(new TypeError("x")) }, byBug("protocol")],
    ["the admission, on the disk", { admit: failing(FULL) }, onDisk("busy")],
    ["the admission, by a bug", { admit: failing(new TypeError("x")) }, byBug("busy")],
    ["the tunnels, on the disk", tunnels(FULL), onDisk("busy")],
    ["the tunnels, by a bug", tunnels(new TypeError("x")), byBug("busy")],
  ])("%s: is listed, told, and lets the client go", async (_what, options, { why, text }) => {
    await using side = await startAgentSide(options);
    await using agent = await signIn(side, { Hostname: "web01" });
    await expect(agent.introduce()).rejects.toThrow(text);
    expect(side.refused).toEqual([
      { why, address: "127.0.0.1", authId: "fleet", clientId: ID, hostname: "web01", text },
    ]);
    expect(side.presence.locate(ID)).toBeUndefined();
    expect(side.registry.counts.connected).toBe(0);
    expect(side.door.counters.afterLogin).toBe(1);
    await agent.closed;
    const isBug = text === UNFORESEEN;
    expect(side.log.some((line) => line.includes("an agent could not register"))).toBe(isBug);
    expect(side.ready).toEqual([]);
  });

  it("the first request, which is another one: is listed without a client", async () => {
    await using side = await startAgentSide();
    await using agent = await signIn(side);
    expect(await agent.ask(REQUESTS.ping)).toEqual({
      ok: false,
      text: "a connection request was expected",
    });
    expect(side.refused).toMatchObject([{ why: "protocol", clientId: undefined }]);
    await agent.closed;
  });

  it("the first of thousands of requests: is listed and logged once", async () => {
    await using side = await startAgentSide();
    await using agent = await signIn(side);
    for (let n = 0; n < 5_000; n += 1) agent.connection.notify("x", Buffer.alloc(0));
    await agent.closed;
    expect(side.refused).toHaveLength(1);
    expect(side.log.filter((line) => line.includes("agent refused"))).toHaveLength(1);
    expect(side.door.counters.afterLogin).toBe(1);
  });

  it("the claim of an id: is listed as a duplicate, and whoever holds the id keeps it", async () => {
    await using side = await startAgentSide();
    await using holder = await signIn(side);
    await holder.introduce();
    await using other = await signIn(side, OTHER_PROCESS);
    await expect(other.introduce()).rejects.toThrow("client is already connected");
    expect(side.refused).toMatchObject([{ why: "duplicate", clientId: ID }]);
    await other.closed;
    expect(side.clients.get(ID)?.connection_state).toBe("connected");
  });

  it("the join, in a flood: is listed, and makes no line of the log that is read", async () => {
    await using side = await startAgentSide({ join: async () => FLOOD });
    await using agent = await signIn(side);
    await expect(agent.introduce()).rejects.toThrow(FLOOD.text);
    expect(side.refused).toMatchObject([{ why: "join-rate" }]);
    await agent.closed;
    const lines = side.log.filter((line) => line.includes("agent refused"));
    expect(lines).toEqual([expect.stringMatching(/debug/i)]);
  });
});
