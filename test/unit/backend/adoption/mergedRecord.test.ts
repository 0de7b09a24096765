import { clientIdSchema, tunnelIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { mergedRecord } from "../../../../backend/src/adoption/mergedRecord.ts";
import { keptAttributes } from "../../../../backend/src/clients/registry/attributes.ts";
import type { StoredTunnel } from "../../../../backend/src/store/records/clientRecord.ts";
import { clientRecord, storedTunnel } from "../../../support/backend/records.ts";

const OLD = clientIdSchema.parse("old");

const tunnel = (id: string, lport: string, rport = "22"): StoredTunnel =>
  storedTunnel({ id, lport, rport });

describe("a record with another one moved into it", () => {
  it("has the name that somebody gave, and not one that is only a hostname", () => {
    const to = clientRecord({ name: "temp", hostname: "fresh" });
    const named = clientRecord({ id: OLD, name: "web-01", hostname: "h" });
    expect(mergedRecord(to, named).name).toBe("web-01");
    const unnamed = clientRecord({ id: OLD, name: "h", hostname: "h" });
    expect(mergedRecord(to, unnamed)).toMatchObject({ name: "temp", adopted: {} });
  });

  it("has the tags of both, and the labels of both with the earlier ones first", () => {
    const to = clientRecord({ tags: ["b", "c"], labels: { os: "new", site: "x" } });
    const from = clientRecord({ id: OLD, tags: ["a", "b"], labels: { os: "old", rack: "7" } });
    expect(mergedRecord(to, from)).toMatchObject({
      tags: ["a", "b", "c"],
      labels: { os: "old", site: "x", rack: "7" },
    });
  });

  it("stays what it is however often records are moved into it", () => {
    const to = clientRecord({ name: "said", tags: [] });
    const once = mergedRecord(to, clientRecord({ id: OLD, name: "one", tags: ["a"] }));
    const twice = mergedRecord(once, clientRecord({ id: OLD, name: "two", tags: ["b"] }));
    expect(twice.adopted.name).toEqual({ said: "said", shown: "two" });
    expect(keptAttributes(to, twice.adopted)).toMatchObject({ name: "two", tags: ["b", "a"] });
    const changed = keptAttributes({ ...to, name: "else" }, twice.adopted);
    expect(changed).toMatchObject({ name: "else", tags: ["b", "a"] });
    expect(changed.adopted.name).toBeUndefined();
  });

  it("has each tunnel of both once, under ids that nobody has", () => {
    const to = clientRecord({ tunnels: [tunnel("1", "20001"), tunnel("2", "20002")] });
    const from = clientRecord({ id: OLD, tunnels: [tunnel("1", "20003"), tunnel("9", "20002")] });
    const opening = [tunnelIdSchema.parse("3")];
    const { tunnels } = mergedRecord(to, from, { tunnelIds: opening });
    expect(tunnels.map(({ id, lport }) => [id, lport])).toEqual([
      ["1", "20001"],
      ["2", "20002"],
      ["4", "20003"],
    ]);
  });

  it("is not made of more tunnels, or more text, than a record holds", () => {
    const many = (from: number) =>
      Array.from({ length: 33 }, (_, n) => tunnel(`${n + 1}`, `${from + n}`));
    const to = clientRecord({ tunnels: many(20_000) });
    const from = clientRecord({ id: OLD, tunnels: many(21_000) });
    expect(() => mergedRecord(to, from)).toThrow("more than 64 tunnels");
    const long = (letter: string) => ({ labels: { [letter]: letter.repeat(40_000) } });
    const large = { ...clientRecord(), ...long("a") };
    const other = { ...clientRecord({ id: OLD }), ...long("b") };
    expect(() => mergedRecord(large, other)).toThrow("too large");
  });

  it("is seen by whoever saw one of the two, up to as many groups as a record holds", () => {
    const seenBy = (...groups: string[]) => ({ allowed_user_groups: groups });
    const to = clientRecord({ id: "new", ...seenBy("b", "c") });
    expect(mergedRecord(to, clientRecord({ id: OLD, ...seenBy("a", "b") }))).toMatchObject(
      seenBy("a", "b", "c"),
    );
    const many = Array.from({ length: 63 }, (_, n) => `group-${n}`);
    expect(() => mergedRecord(to, clientRecord({ id: OLD, ...seenBy(...many) }))).toThrow(
      expect.objectContaining({ code: "CONFLICT" }),
    );
  });
});
