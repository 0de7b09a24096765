import { authIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import {
  RecordRoom,
  withoutGrowth,
} from "../../../../../backend/src/clients/registry/recordRoom.ts";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../../../backend/src/limits/limitTable.ts";
import { clientRecord } from "../../../../support/backend/records.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

const FLEET = authIdSchema.parse("fleet");
const OTHER = authIdSchema.parse("other");

const bytesOf = (record: object): number => Buffer.byteLength(JSON.stringify(record));

const host = (id: string, tagBytes = 0, authId = "fleet") => {
  const whole = Array.from({ length: Math.floor(tagBytes / 100) }, () => "x".repeat(100));
  const tags = [...whole, "x".repeat(tagBytes % 100)];
  return clientRecord({ id, client_auth_id: authId, tags });
};

function roomWith(values: SetLimits) {
  const limits = new Limits({ values, clock: new FakeClock(), log: testLog().log });
  return { room: new RecordRoom(limits), limits };
}

describe("the room for records", () => {
  it("S-01: of a credential is used up by its own records, and given back with them", () => {
    const small = bytesOf(host("host-0"));
    const { room } = roomWith({ record_bytes_per_credential: 3 * small });
    for (const n of [0, 1, 2]) {
      expect(room.whyFull(FLEET)).toBeUndefined();
      expect(room.whyNotFit(host(`host-${n}`))).toBeUndefined();
      room.put(host(`host-${n}`));
    }
    expect(room.whyFull(FLEET)).toBe("record_bytes_per_credential");
    expect(room.whyNotFit(host("host-3"))).toBe("record_bytes_per_credential");
    expect(room.whyFull(OTHER)).toBeUndefined();
    expect(room.whyNotFit(host("host-3", 0, "other"))).toBeUndefined();
    room.drop(host("host-1").id);
    expect(room.whyNotFit(host("host-3"))).toBeUndefined();
  });

  it("S-01: of a credential is bounded in clients, too: whatever one has, another gets in", () => {
    const { room, limits } = roomWith({ clients: 4, clients_per_credential: 2 });
    for (const id of ["one", "two"]) room.put(host(id));
    expect(room.whyFull(FLEET)).toBe("clients_per_credential");
    expect(room.whyNotFit(host("three"))).toBe("clients_per_credential");
    expect(room.whyNotFit(host("one"))).toBeUndefined();
    expect(room.whyFull(OTHER)).toBeUndefined();
    room.put(host("two", 0, "other"));
    expect(room.whyFull(FLEET)).toBeUndefined();
    const states = new Map(limits.states().map(({ name, used }) => [name, used]));
    expect(states.get("clients_per_credential")).toBe(1);
  });

  it("S-01: of all is bounded in clients and in bytes", () => {
    const { room } = roomWith({ clients: 1 });
    room.put(host("one"));
    expect(room.whyFull(OTHER)).toBe("clients");
    const { room: bytes } = roomWith({ record_bytes: bytesOf(host("one")) });
    bytes.put(host("one"));
    expect(bytes.whyFull(OTHER)).toBe("record_bytes");
  });

  it("is there for a record that stays as large as it was, however full it is", () => {
    const { room } = roomWith({ record_bytes_per_credential: bytesOf(host("one", 50)) });
    room.put(host("one", 50));
    expect(room.whyNotFit(host("one", 50))).toBeUndefined();
    expect(room.whyNotFit(host("one", 20))).toBeUndefined();
    expect(room.whyNotFit(host("one", 51))).toBe("record_bytes_per_credential");
  });

  it("follows a record to another credential, and is told as a figure", () => {
    const { room, limits } = roomWith({});
    room.put(host("one", 100));
    room.put(host("one", 100, "other"));
    const used = Object.fromEntries(limits.states().map(({ name, used: now }) => [name, now]));
    expect(used).toMatchObject({
      clients: 1,
      record_bytes: bytesOf(host("one", 100, "other")),
      record_bytes_per_credential: bytesOf(host("one", 100, "other")),
    });
    room.drop(host("one").id);
    expect(limits.states().find(({ name }) => name === "record_bytes")?.used).toBe(0);
  });

  it("holds 10,000 hosts of 6 kB with one credential, by the usual limits", () => {
    const { room } = roomWith({});
    for (let n = 0; n < 10_000; n += 1) room.put(host(`host-${n}`, 5_000));
    expect(room.whyNotFit(host("one-more", 5_000))).toBeUndefined();
  });
});

describe("a record that may not grow", () => {
  it("says what it said before, and how its client is connected now", () => {
    const before = clientRecord({ id: "one", name: "web", labels: { city: "Bonn" } });
    const at = "2030-01-01T00:00:00.000Z";
    const said = clientRecord({
      id: "one",
      name: "w".repeat(200),
      labels: { city: "b".repeat(500), country: "c".repeat(500) },
      address: "192.0.2.77",
      connected_at: at,
    });
    const kept = withoutGrowth(said, before);
    expect(kept).toEqual({ ...before, address: "192.0.2.77", connected_at: at });
    expect(bytesOf(kept)).toBeLessThan(bytesOf(before) + 100);
  });
});
