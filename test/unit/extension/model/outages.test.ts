import type { Client } from "@rport/protocol/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Outages } from "../../../../extension/src/model/shown/outages.ts";
import { client } from "../entities.ts";

const START_MS = Date.UTC(2030, 0, 1, 14, 2);

/** A client that was lost so many seconds after 14:02. */
function lost(id: string, seconds: number, changes: Partial<Record<keyof Client, unknown>> = {}) {
  return client(id, {
    connection_state: "disconnected",
    disconnected_at: new Date(START_MS + seconds * 1_000).toISOString(),
    connection_end: { kind: "silent", text: "no answer" },
    ...changes,
  });
}

/** Clients that come and go one after the other. */
class Hosts {
  readonly outages = new Outages();
  readonly #clients = new Map<string, Client>();

  /** Answers whose place has changed. */
  tell(after: Client): readonly string[] {
    const before = this.#clients.get(after.id);
    this.#clients.set(after.id, after);
    const { id } = after;
    return [...this.outages.update({ entity: "client", id, before, after })].sort();
  }

  forget(id: string): readonly string[] {
    const before = this.#clients.get(id);
    this.#clients.delete(id);
    return [...this.outages.update({ entity: "client", id, before, after: undefined })].sort();
  }

  /** A connection that is back tells all of them again. */
  snapshot(): void {
    this.outages.reset(this.#clients.values());
  }

  /** The same, looked at anew. */
  again(): Outages {
    const outages = new Outages();
    outages.reset(this.#clients.values());
    return outages;
  }
}

/** How many of the hosts 0 to 9 are in each outage. */
function sizesOf(outages: Outages): readonly number[] {
  const keys = Array.from({ length: 10 }, (_, n) => outages.of(`host-${n}`)?.key);
  const known = new Set(keys.filter((key) => key !== undefined));
  return [...known].map((key) => keys.filter((each) => each === key).length);
}

describe("hosts that went together", () => {
  it("are one piece of news from three on, of one network and one minute", () => {
    const hosts = new Hosts();
    expect(hosts.tell(lost("a", 0))).toEqual([]);
    expect(hosts.tell(lost("b", 30))).toEqual([]);
    expect(hosts.tell(lost("elsewhere", 31, { address: "198.51.100.1" }))).toEqual([]);
    expect(hosts.outages.of("a")).toBeUndefined();
    expect(hosts.tell(lost("c", 60))).toEqual(["a", "b", "c"]);
    expect(hosts.outages.of("b")).toMatchObject({ network: "203.0.113.9", atMs: START_MS });
    expect(hosts.tell(lost("d", 61))).toEqual([]);
    expect(["d", "elsewhere"].map((id) => hosts.outages.of(id))).toEqual([undefined, undefined]);
    expect(hosts.outages.size).toBe(1);
  });

  it("are not those that were stopped, cut off or revoked, or come through this machine", () => {
    const hosts = new Hosts();
    const others = [
      { connection_end: { kind: "stopped", text: "" } },
      { connection_end: { kind: "cut", text: "" } },
      { connection_end: { kind: "server", text: "" } },
      { revoked_at: "2030-01-01T14:03:00Z" },
      { address: "127.0.0.1" },
      { address: "" },
    ];
    for (const [n, changes] of others.entries()) {
      for (const letter of "abc") hosts.tell(lost(`${letter}${n}`, n, changes));
    }
    expect(hosts.outages.size).toBe(0);
    for (const letter of "abc")
      hosts.tell(lost(`v6-${letter}`, 0, { address: `2001:db8::${letter}` }));
    expect(hosts.outages.of("v6-a")?.network).toBe("2001:db8:0:0::/64");
  });

  it("leave when they are back; the news stays until one is left, and does not come back before three", () => {
    const hosts = new Hosts();
    for (const [n, id] of ["a", "b", "c"].entries()) hosts.tell(lost(id, n));
    const { key } = hosts.outages.of("a") ?? {};
    expect(hosts.tell(client("c"))).toEqual(["c"]);
    expect([hosts.outages.of("a")?.key, hosts.outages.of("c")]).toEqual([key, undefined]);
    expect(hosts.tell(lost("c", 20))).toEqual(["c"]);
    expect(hosts.outages.of("c")?.key).toBe(key);
    expect(hosts.forget("c")).toEqual(["c"]);
    expect(hosts.tell(client("b"))).toEqual(["a", "b"]);
    expect([hosts.outages.of("a"), hosts.outages.size]).toEqual([undefined, 0]);
    expect(hosts.tell(lost("b", 40))).toEqual([]);
    expect(hosts.tell(lost("c", 41))).toEqual(["a", "b", "c"]);
  });

  it("stay one piece of news when all are told again, and are none then that they were not before", () => {
    const hosts = new Hosts();
    for (const [n, id] of ["a", "b", "c"].entries()) hosts.tell(lost(id, n));
    for (const id of ["e", "f"]) hosts.tell(lost(id, 120));
    const { key } = hosts.outages.of("a") ?? {};
    hosts.tell(client("c"));
    hosts.snapshot();
    expect([hosts.outages.of("a")?.key, hosts.outages.of("b")?.key]).toEqual([key, key]);
    expect([hosts.outages.of("e"), hosts.outages.size]).toEqual([undefined, 1]);
    hosts.tell(client("b"));
    hosts.snapshot();
    expect([hosts.outages.of("a"), hosts.outages.size]).toEqual([undefined, 0]);
  });

  it("cost nothing where nothing is lost or found", () => {
    const hosts = new Hosts();
    for (const [n, id] of ["a", "b", "c"].entries()) hosts.tell(lost(id, n));
    expect(hosts.tell(lost("a", 0, { tags: ["db"] }))).toEqual([]);
    expect(hosts.tell(client("new"))).toEqual([]);
  });

  it("are told from one another however hosts come and go", () => {
    const step = fc.record({ host: fc.nat(9), second: fc.nat(200), isBack: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const hosts = new Hosts();
        for (const { host, second, isBack } of steps) {
          const id = `host-${host}`;
          hosts.tell(isBack ? client(id) : lost(id, second));
        }
        for (const outages of [hosts.outages, hosts.again()]) {
          const sizes = sizesOf(outages);
          expect(sizes.length).toBe(outages.size);
          for (const size of sizes) expect(size).toBeGreaterThan(1);
        }
      }),
    );
  });
});
