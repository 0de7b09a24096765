import { clientIdSchema, tunnelIdSchema } from "@rport/protocol/ids";
import { expect, it } from "vitest";
import { PortRanges, withoutOverlaps } from "../../../../backend/src/platform/portRanges.ts";
import { EditFeed } from "../../../../backend/src/store/edits/editFeed.ts";
import type { ClientRecord } from "../../../../backend/src/store/records/clientRecord.ts";
import { describeTunnel } from "../../../../backend/src/tunnels/describe.ts";
import { KeptPorts } from "../../../../backend/src/tunnels/keptPorts.ts";
import { PortTable } from "../../../../backend/src/tunnels/ports.ts";
import { parseTunnelQuery } from "../../../../backend/src/tunnels/request.ts";
import { clientRecord } from "../../../support/backend/records.ts";
import { FakeClock } from "../../../support/clock.ts";
import { testLog } from "../../../support/log.ts";

const RANGE = { from: 20_000, to: 20_002 };
/** A tunnel of that client. */
const tunnel = (client: string) => ({ client, target: "127.0.0.1:22" });

/** The ports of a range, kept for whom the records say. */
function table(range = RANGE, clock = new FakeClock(), records: readonly ClientRecord[] = []) {
  const feed = new EditFeed(testLog().log);
  const kept = KeptPorts.following(records, feed);
  return Object.assign(new PortTable({ ranges: new PortRanges([range]), kept, clock }), { feed });
}

/** A client that remembers a tunnel on that port. */
function keeper(id: string, port: number, isRandom = false): ClientRecord {
  const query = isRandom ? { remote: "22" } : { remote: "22", local: String(port) };
  const place = { id: tunnelIdSchema.parse("1"), host: "127.0.0.1", port };
  const createdAt = "2030-01-01T00:00:00Z";
  const request = parseTunnelQuery(query, "ann");
  const tunnels = [describeTunnel(request, Object.assign(place, { createdAt }))];
  return clientRecord({ id: clientIdSchema.parse(id), tunnels });
}

it("hands out each port of the range once", () => {
  const ports = table();
  const taken = [1, 2, 3].map((n) => ports.takeRandom(tunnel(`owner ${n}`)));
  expect(taken.toSorted()).toEqual([20_000, 20_001, 20_002]);
  expect(() => ports.takeRandom(tunnel("one more"))).toThrow(/20000 to 20002\) are in use/);
});

it("refuses a port outside the range in RPort's words", () => {
  const ports = table();
  expect(() => ports.take(4_000, tunnel("a"))).toThrow(
    "Local port 4000 is not among allowed ports",
  );
});

it("refuses a port that another tunnel has", () => {
  const ports = table();
  ports.take(20_001, tunnel("a"));
  expect(() => ports.take(20_001, tunnel("a"))).toThrow(
    expect.objectContaining({ code: "ERR_CODE_LOCAL_PORT_IN_USE" }),
  );
});

it("S-25: gives nobody else a port within 60 s of its release", () => {
  const clock = new FakeClock();
  const ports = table({ from: 20_000, to: 20_000 }, clock);
  ports.release(ports.takeRandom(tunnel("a")));
  clock.advance(59_999);
  expect(() => ports.takeRandom(tunnel("b"))).toThrow();
  expect(() => ports.take(20_000, tunnel("b"))).toThrow();
  clock.advance(1);
  expect(ports.takeRandom(tunnel("b"))).toBe(20_000);
});

it("gives a person the port that has rested longest where there is no other, and tells of each end", () => {
  const clock = new FakeClock();
  const ports = table({ from: 20_000, to: 20_002 }, clock);
  const over: number[] = [];
  const taken = [1, 2, 3].map((n) => ports.takeRandom(tunnel(`agent ${n}`)));
  const [first, second, third] = taken;
  for (const port of taken) {
    clock.advance(1_000);
    ports.release(port, () => over.push(port));
  }
  expect(ports.takeRandom(tunnel("ann"), { mayRest: true })).toBe(first);
  expect(over).toEqual([first]);
  expect(() => ports.takeRandom(tunnel("thief"))).toThrow("are in use");
  expect(ports.take(third ?? 0, tunnel("agent 3"), { isRandom: true })).toBe(third);
  expect(over).toEqual([first, third]);
  clock.advance(60_000);
  ports.settle();
  expect(over).toEqual([first, third, second]);
});

it("lets a random port rest that a tunnel had, and none that turned out to be another program's", () => {
  const ports = table();
  const except = new Set([ports.take(20_001, tunnel("a"))]);
  ports.abandon(20_001);
  for (let n = 0; n < 2; n += 1) {
    expect(ports.takeRandom(tunnel(`random ${n}`), { except })).not.toBe(20_001);
  }
  expect(() => ports.takeRandom(tunnel("random"), { except })).toThrow("are in use");
  expect(ports.take(20_001, tunnel("b"), { isRandom: true })).toBe(20_001);
  ports.release(20_001);
  expect(() => ports.take(20_001, tunnel("a"))).toThrow(
    expect.objectContaining({ detail: "Another tunnel used it less than a minute ago." }),
  );
  // The one that had it keeps its claim when it finds another program there.
  ports.abandon(ports.take(20_001, tunnel("b")));
  expect(() => ports.take(20_001, tunnel("a"))).toThrow();
});

it("gives the same owner its port back at once", () => {
  const ports = table();
  ports.release(ports.take(20_001, tunnel("a"), { isRandom: true }));
  expect(ports.take(20_001, tunnel("a"))).toBe(20_001);
});

it("lets no port rest that somebody chose", () => {
  const ports = table();
  ports.release(ports.take(20_001, tunnel("a")));
  expect(ports.take(20_001, tunnel("b"))).toBe(20_001);
});

it("chooses within a part of the range, and says when that is none of it", () => {
  const ports = table();
  const within = { from: 20_001, to: 20_050 };
  const taken = [1, 2].map((n) => ports.takeRandom(tunnel(`owner ${n}`), { within }));
  expect(taken.toSorted()).toEqual([20_001, 20_002]);
  expect(() => ports.takeRandom(tunnel("c"), { within })).toThrow("are in use");
  expect(() => ports.takeRandom(tunnel("c"), { within: { from: 5, to: 9 } })).toThrow(
    "Local ports 5 to 9 are not among allowed ports (20000 to 20002).",
  );
});

it("keeps the port of a remembered tunnel for its client, which is away", () => {
  const ports = table(RANGE, new FakeClock(), [keeper("db", 20_001)]);
  expect(() => ports.take(20_001, tunnel("thief"))).toThrow(
    expect.objectContaining({ detail: expect.stringContaining("a client that is away") }),
  );
  const taken = [1, 2].map(() => ports.takeRandom(tunnel("thief")));
  expect(taken.toSorted()).toEqual([20_000, 20_002]);
  expect(() => ports.takeRandom(tunnel("thief"))).toThrow("in use");
  expect(ports.take(20_001, tunnel("db"))).toBe(20_001);
});

it("gives away what was chosen at random, but only when there is nothing else", () => {
  const ports = table(RANGE, new FakeClock(), [keeper("db", 20_001, true)]);
  const [first, second, third] = [1, 2, 3].map(() => ports.takeRandom(tunnel("web")));
  expect([first, second].toSorted()).toEqual([20_000, 20_002]);
  expect(third).toBe(20_001);
});

it("keeps a port as long as the record says so, and for the client that takes the record over", () => {
  const ports = table();
  const { feed } = ports;
  const record = keeper("old", 20_001);
  feed.announce([{ kind: "seen", record }]);
  expect(ports.isFree(20_001, tunnel("new"))).toBe(false);
  const from = { client: record.id, credential: record.client_auth_id };
  feed.announce([{ kind: "adopt", record: keeper("new", 20_001), from }]);
  expect(ports.isFree(20_001, tunnel("new"))).toBe(true);
  expect(ports.isFree(20_001, tunnel("old"))).toBe(false);
  feed.announce([{ kind: "tunnels", record: { ...keeper("new", 20_001), tunnels: [] } }]);
  expect(ports.isFree(20_001, tunnel("old"))).toBe(true);
  feed.announce([{ kind: "seen", record }]);
  feed.announce([{ kind: "forget", client: record.id, credential: record.client_auth_id }]);
  expect(ports.isFree(20_001, tunnel("new"))).toBe(true);
});

it("reads ranges as one row of ports, each once", () => {
  const merged = withoutOverlaps([
    { from: 9, to: 9 },
    { from: 20, to: 25 },
    { from: 22, to: 30 },
    { from: 31, to: 32 },
    { from: 1, to: 2 },
  ]);
  const ranges = new PortRanges(merged);
  expect(ranges.text).toBe("1 to 2, 9, 20 to 32");
  const ports = Array.from({ length: ranges.size }, (_, index) => ranges.at(index));
  expect(ports).toEqual([1, 2, 9, ...Array.from({ length: 13 }, (_, n) => 20 + n)]);
  expect(ranges.at(ranges.size)).toBeUndefined();
  expect(ports.every((port) => ranges.has(port ?? 0))).toBe(true);
  expect([0, 3, 10, 33].some((port) => ranges.has(port))).toBe(false);
  expect(ranges.within({ from: 2, to: 21 }).text).toBe("2, 9, 20 to 21");
});
