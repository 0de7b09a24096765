import type { Client, Tunnel } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { Sights } from "../../../../backend/src/access/sights.ts";
import { EVERYTHING } from "../../../../backend/src/events/sight.ts";

const SEEN: Readonly<Record<string, readonly string[]>> = { a: ["x", "y"], b: ["y"] };
const sights = new Sights({
  grantsOf: (id) => SEEN[id] ?? [],
  seenBy: (groups) => ({ connected: groups.length, disconnected: 7 }),
});
const of = (...groups: string[]) => sights.of({ isAdministrator: false, groups });

const client = (id: string, looksLike: string | null = null) =>
  ({ id, looks_like: looksLike }) as Client;

describe("what somebody is shown", () => {
  it("is the same sight for everybody in the same groups, in whatever order", () => {
    expect(of("x", "y")).toBe(of("y", "x"));
    expect(of("x")).not.toBe(of("x", "y"));
    expect(sights.of({ isAdministrator: true, groups: ["x"] })).toBe(EVERYTHING);
  });

  it("is the clients they may see, and the tunnels of those", () => {
    const a = client("a");
    expect(of("x").shown("client", a)).toBe(a);
    expect(of("x").shown("client", client("b"))).toBeUndefined();
    const tunnel = { client_id: "b" } as Tunnel;
    expect(of("y").shown("tunnel", tunnel)).toBe(tunnel);
    expect(of("x").shown("tunnel", tunnel)).toBeUndefined();
    expect(of().shown("client", a)).toBeUndefined();
  });

  it("does not name an earlier record that they may not see", () => {
    expect(of("x").shown("client", client("a", "b"))?.looks_like).toBeNull();
    expect(of("y").shown("client", client("a", "b"))?.looks_like).toBe("b");
  });

  it.each(["credential", "pairing", "join", "refusal", "user"] as const)("is no %s", (entity) => {
    expect(of("x", "y").shown(entity, { id: "a" } as never)).toBeUndefined();
  });

  it("counts as many clients as they may see", () => {
    const status = of("x", "y").server({ clients_connected: 100, version: "1" } as never);
    expect(status).toEqual({ clients_connected: 2, clients_disconnected: 7, version: "1" });
  });
});
