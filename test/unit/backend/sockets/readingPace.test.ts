import { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { Limits } from "../../../../backend/src/limits/limits.ts";
import type { SetLimits } from "../../../../backend/src/limits/limitTable.ts";
import { ReadingPace } from "../../../../backend/src/sockets/readingPace.ts";
import { testLog } from "../../../support/log.ts";

const KIB = 1 << 10;
const DEAR_MS = 0.25 / KIB;

/** Connections whose bytes take time, on a clock that only reading moves. */
function setUp(values: SetLimits = {}) {
  let nowMs = 0;
  const clock = { monotonic: () => nowMs };
  const limits = new Limits({ values, clock, log: testLog().log });
  const pace = new ReadingPace({
    limits,
    clock,
    onFault: (error) => {
      throw error;
    },
  });
  /** What was read, by name, in order. */
  const read: string[] = [];
  const connection = (name: string, remoteAddress: string, msPerByte = DEAR_MS) => {
    const socket = new Socket();
    Object.defineProperty(socket, "remoteAddress", { value: remoteAddress });
    const received: Buffer[] = [];
    socket.on("data", (bytes) => {
      nowMs += bytes.length * msPerByte;
      received.push(bytes);
      read.push(name);
    });
    socket.on("end", () => read.push(`${name} ends`));
    pace.enter(socket);
    return { socket, bytes: () => Buffer.concat(received) };
  };
  const bites = () => limits.states().find(({ name }) => name === "unread_bytes")?.bites;
  return { pace, connection, read, now: () => nowMs, bites };
}

const PATTERN = Buffer.from(Array.from({ length: 64 * KIB }, (_, n) => n % 251));

it("F-14: reads what is little or cheap at once, as it came", async () => {
  const { connection } = setUp();
  const little = connection("little", "192.0.2.1");
  const cheap = connection("cheap", "192.0.2.1", 0);
  await nextTurn();
  expect(little.socket.push(PATTERN.subarray(0, 4 * KIB))).toBe(true);
  expect(little.bytes()).toEqual(PATTERN.subarray(0, 4 * KIB));
  expect(cheap.socket.push(PATTERN)).toBe(true);
  expect(cheap.bytes().equals(PATTERN)).toBe(true);
});

it("F-14: reads for some milliseconds of a turn, and whoever else comes is read in the next", async () => {
  const { connection, read, now } = setUp();
  const crowd = Array.from({ length: 100 }, () => connection("crowd", "192.0.2.1"));
  const other = connection("other", "192.0.2.2");
  await nextTurn();
  for (const { socket } of crowd) socket.push(PATTERN);
  expect(now()).toBeLessThan(10);
  expect(other.socket.push(Buffer.from("a request"))).toBe(false);
  expect(read).not.toContain("other");

  const startMs = now();
  await nextTurn();
  expect(other.bytes().toString()).toBe("a request");
  expect(now() - startMs).toBeLessThan(20);
  for (let turn = 0; turn < 1_000 && now() < 1_599; turn += 1) await nextTurn();
  expect(crowd.every(({ bytes }) => bytes().equals(PATTERN))).toBe(true);
});

it("F-14: reads all connections of one caller in one line, so that they delay nobody of the same address", async () => {
  const { pace, connection, now } = setUp();
  const crowd = Array.from({ length: 100 }, () => connection("crowd", "192.0.2.1"));
  const neighbour = connection("neighbour", "192.0.2.1");
  await nextTurn();
  for (const { socket } of crowd.slice(0, 50)) pace.assign(socket, "account 1");
  for (const { socket } of crowd) socket.push(PATTERN);
  // What waits already goes along.
  for (const { socket } of crowd.slice(50)) pace.assign(socket, "account 1");
  neighbour.socket.push(Buffer.from("a request"));
  const startMs = now();
  await nextTurn();
  expect(neighbour.bytes().toString()).toBe("a request");
  expect(now() - startMs).toBeLessThan(20);
  for (let turn = 0; turn < 1_000 && now() < 1_599; turn += 1) await nextTurn();
  expect(crowd.every(({ bytes }) => bytes().equals(PATTERN))).toBe(true);
});

it("F-14: reads what carries an encrypted connection in the line of who speaks on that", async () => {
  const { pace, connection } = setUp();
  const crowd = Array.from({ length: 100 }, () => connection("raw", "192.0.2.1"));
  const neighbour = connection("neighbour", "192.0.2.1");
  await nextTurn();
  for (const { socket } of crowd) {
    const encrypted = new Socket();
    pace.enter(encrypted, socket);
    pace.assign(encrypted, "account 1");
    socket.push(PATTERN);
  }
  neighbour.socket.push(Buffer.from("a request"));
  await nextTurn();
  await nextTurn();
  expect(neighbour.bytes().toString()).toBe("a request");
});

it("F-14: reads little in a turn that accepted a connection, as Node accepts one in a turn", async () => {
  const { connection, now } = setUp();
  const crowd = Array.from({ length: 20 }, () => connection("crowd", "192.0.2.1"));
  await nextTurn();
  for (const { socket } of crowd) socket.push(PATTERN);
  const turn = async (): Promise<number> => {
    const startMs = now();
    await nextTurn();
    return now() - startMs;
  };
  const usualMs = await turn();
  for (let n = 0; n < 5; n += 1) {
    connection("new", "192.0.2.2");
    expect(await turn()).toBeLessThan(usualMs / 2);
  }
  expect(await turn()).toBe(usualMs);
});

it("F-14: keeps the order of what comes while something waits, and the end behind all of it", async () => {
  const { connection, read } = setUp();
  const { socket, bytes } = connection("a", "192.0.2.1");
  await nextTurn();
  expect(socket.push(PATTERN)).toBe(false);
  expect(socket.push(Buffer.from("last"))).toBe(false);
  expect(socket.push(null)).toBe(false);
  for (let turn = 0; turn < 100 && !read.includes("a ends"); turn += 1) await nextTurn();
  expect(bytes().equals(Buffer.concat([PATTERN, Buffer.from("last")]))).toBe(true);
  expect(read.at(-1)).toBe("a ends");
});

it("F-14: ends the connection with which too much waits, and forgets what came from it", async () => {
  const { connection, bites } = setUp({ unread_bytes: KIB * KIB });
  const crowd = Array.from({ length: 30 }, (_, n) => connection(`c${n}`, "192.0.2.1"));
  await nextTurn();
  for (const { socket } of crowd) socket.push(PATTERN);
  const ended = crowd.filter(({ socket }) => socket.destroyed).length;
  expect(ended).toBeGreaterThan(5);
  expect(bites()).toBe(ended);
  for (let turn = 0; turn < 200; turn += 1) await nextTurn();
  expect(crowd.filter(({ bytes }) => bytes().length === 64 * KIB)).toHaveLength(30 - ended);
});
