import { type RemoteMessage, remoteSchema } from "@rport/protocol/agent";
import { describe, expect, it } from "vitest";
import type { StoredTunnel } from "../../../../backend/src/store/records/clientRecord.ts";
import { planRestore } from "../../../../backend/src/tunnels/restore.ts";
import { storedTunnel } from "../../../support/backend/records.ts";

const stored = (id: string, change: Partial<StoredTunnel> = {}): StoredTunnel =>
  storedTunnel({ id, lport: `2000${id}`, ...change });
const remote = (change: Partial<RemoteMessage> = {}): RemoteMessage =>
  remoteSchema.parse({ rhost: "127.0.0.1", rport: "22", ...change });

const idsOf = (remotes: RemoteMessage[], old: StoredTunnel[]) => {
  const plan = planRestore(remotes, old);
  return {
    wanted: plan.wanted.map((one) => one.was?.id),
    restored: plan.restored.map((one) => one.id),
  };
};

describe("tunnels of a client that comes back", () => {
  it("are all restored when the agent asks for none", () => {
    expect(idsOf([], [stored("1"), stored("2")])).toEqual({ wanted: [], restored: ["1", "2"] });
  });

  it("that the agent asks for again keep their identity, and the others are restored", () => {
    const fixed = stored("2", { lport_random: false });
    expect(idsOf([remote({ lport: "20002" })], [stored("1"), fixed])).toEqual({
      wanted: ["2"],
      restored: ["1"],
    });
  });

  it("are each matched once", () => {
    expect(idsOf([remote(), remote()], [stored("1"), stored("2"), stored("3")])).toEqual({
      wanted: ["1", "2"],
      restored: ["3"],
    });
  });

  it.each([
    ["another target", remote({ rport: "23" })],
    ["another ACL", remote({ acl: "192.0.2.1" })],
    ["a fixed port instead of a random one", remote({ lport: "20009" })],
  ])("are not restored when the agent asks for something new: %s", (_what, wanted) => {
    expect(idsOf([wanted], [stored("1")])).toEqual({ wanted: [undefined], restored: [] });
  });

  it("are not restored when the agent asks for more than there were", () => {
    expect(idsOf([remote(), remote()], [stored("1")]).restored).toEqual([]);
  });
});
