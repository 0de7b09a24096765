import type { ClientId } from "@rport/protocol/ids";
import { describe, expect, it, vi } from "vitest";
import { Likeness, type Seen } from "../../../../../backend/src/clients/registry/likeness.ts";
import type { ClientRecord } from "../../../../../backend/src/store/records/clientRecord.ts";
import { clientRecord } from "../../../../support/backend/records.ts";

const KEY = `SHA256:${"K".repeat(43)}`;
const at = (minute: number): string => new Date(minute * 60_000).toISOString();

/** A record that came and was heard of last at these minutes. */
function seen(id: string, [first, last]: readonly [number, number], own: object = {}): Seen {
  const times = { first_seen_at: at(first), heard_at: at(last) };
  return { record: clientRecord({ id, ...times, ...own }), connected: false };
}

function likenessOf(all: readonly Seen[], onLook: () => void = () => {}): Likeness {
  const byId = new Map<ClientId, Seen>(all.map((one) => [one.record.id, one]));
  const likeness = new Likeness((id) => {
    onLook();
    return byId.get(id);
  });
  for (const { record } of all) likeness.add(record);
  return likeness;
}

const earlierOf = (record: ClientRecord, ...others: readonly Seen[]) =>
  likenessOf([...others, { record, connected: true }]).earlierOf(record);

const STRANGER = { hostname: "db", ipv4: ["198.51.100.4"], machine_hint: "m2" };

describe("the earlier record of a machine", () => {
  const { record } = seen("new", [10, 10], { host_key: KEY, machine_hint: "m1" });

  it.each([
    ["by its host key", { ...STRANGER, host_key: KEY }],
    ["by the machine's own id", { ...STRANGER, machine_hint: "m1" }],
    ["by hostname, system and addresses", {}],
    ["in whatever order the addresses are told", { ipv4: ["127.0.0.1", "192.0.2.1"] }],
  ])("is found %s", (_, own) => {
    expect(earlierOf(record, seen("old", [1, 5], own))).toBe("old");
  });

  it.each([
    ["nothing in common", seen("old", [1, 5], STRANGER)],
    ["another hostname", seen("old", [1, 5], { hostname: "db" })],
    ["another system", seen("old", [1, 5], { os_kernel: "windows" })],
    ["no address but the own ones", seen("old", [1, 5], { ipv4: ["127.0.0.1"] })],
    ["a connection beside it", seen("old", [1, 11])],
    ["a connection now", { ...seen("old", [1, 5]), connected: true }],
    ["a later first time", seen("old", [11, 12])],
  ])("is none with %s", (_, other) => {
    expect(earlierOf(record, other)).toBeUndefined();
  });

  it("is the one with the same key rather than one that looks alike, and else the latest", () => {
    const keyed = seen("keyed", [1, 2], { ...STRANGER, host_key: KEY });
    const alike = [seen("a", [1, 3]), seen("b", [1, 9]), seen("c", [1, 4])];
    expect(earlierOf(record, ...alike, keyed)).toBe("keyed");
    expect(earlierOf(record, ...alike)).toBe("b");
  });

  it("is none where so many are alike that it would be a guess, without a look at them", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => seen(`old-${n}`, [1, 2]));
    const onLook = vi.fn();
    const likeness = likenessOf([...many, { record, connected: true }], onLook);
    expect(likeness.earlierOf(record)).toBeUndefined();
    expect(likeness.others(record)).toEqual([]);
    expect(onLook).not.toHaveBeenCalled();
    for (const one of many.slice(1)) likeness.remove(one.record);
    expect(likeness.earlierOf(record)).toBe("old-0");
    expect(likeness.others(record)).toEqual(["old-0"]);
  });
});
