import {
  assertPayload,
  IncomingRequests,
  OutgoingRequests,
  type Reply,
  type RequestingPeer,
} from "@rport/protocol/wire/requests";
import { RequestRefused, WireError } from "@rport/protocol/wire/wireError";
import { describe, expect, it, vi } from "vitest";
import { FakeClock } from "../../../../support/clock.ts";

const EMPTY = Buffer.alloc(0);
const ok = (text: string): Reply => ({ ok: true, payload: Buffer.from(text) });

function outgoing() {
  const clock = new FakeClock();
  const sent: string[] = [];
  const onOverdue = vi.fn();
  const send = (name: string) => void sent.push(name);
  const requests = new OutgoingRequests({ clock, send, onOverdue });
  const ask = (name: string) => requests.add({ name, payload: EMPTY, timeoutMs: 1000 });
  return { clock, sent, onOverdue, requests, ask };
}

describe("our requests", () => {
  it("go out one at a time, each when the one before was answered", async () => {
    const { sent, requests, ask } = outgoing();
    const [first, second] = [ask("a"), ask("b")];
    expect(sent).toEqual(["a"]);
    requests.settle(ok("1"));
    expect(sent).toEqual(["a", "b"]);
    requests.settle({ ok: false, payload: Buffer.from("2") });
    expect([(await first).payload.toString(), (await second).ok]).toEqual(["1", false]);
  });

  it("are overdue by the time since they were sent, not since they were asked", () => {
    const { clock, onOverdue, requests, ask } = outgoing();
    void ask("a");
    void ask("b");
    clock.advance(999);
    requests.settle(ok(""));
    clock.advance(999);
    expect(onOverdue).not.toHaveBeenCalled();
    clock.advance(1);
    expect(onOverdue).toHaveBeenCalledExactlyOnceWith("b");
  });

  it("all fail with the reason when the connection ends, and leave no timer", async () => {
    const { clock, requests, ask } = outgoing();
    const all = [ask("a"), ask("b")];
    requests.end(new WireError("lost", "gone"));
    for (const reply of all) await expect(reply).rejects.toMatchObject({ kind: "lost" });
    expect(clock.timers).toBe(0);
  });

  it("are refused when 64 wait already", async () => {
    const { ask, requests } = outgoing();
    const all = Array.from({ length: 65 }, (_, index) => ask(`${index}`));
    await expect(ask("one more")).rejects.toMatchObject({ kind: "limit" });
    requests.end(new WireError("lost", "gone"));
    await Promise.allSettled(all);
  });

  it("refuse a reply that nobody waits for", () => {
    expect(() => outgoing().requests.settle(ok(""))).toThrow("a reply to no request");
  });

  it("refuse to carry more than 250 000 bytes", () => {
    expect(() => assertPayload(Buffer.alloc(250_000))).not.toThrow();
    expect(() => assertPayload(Buffer.alloc(250_001))).toThrow("too large");
  });
});

/** As much time in each turn as anybody wants. */
const NO_HURRY: RequestingPeer["turns"] = {
  nowMs: () => 0,
  isOver: () => false,
  later: (work) => void setImmediate(work),
};

function incoming(
  handle: (name: string) => Promise<Buffer | undefined> | Buffer | undefined,
  turns = NO_HURRY,
) {
  const held: number[] = [];
  const replies: string[] = [];
  const faults: unknown[] = [];
  const flow: string[] = [];
  const requests = new IncomingRequests({
    handle: ({ name }) => handle(name),
    answer: (reply) => void replies.push(`${reply.ok} ${reply.payload}`),
    onFault: (error) => void faults.push(error),
    abort: (error) => void faults.push(error),
    peer: {
      packetBytes: Number.POSITIVE_INFINITY,
      held: { set: (_part, bytes) => void held.push(bytes) },
      turns,
      pause: () => void flow.push("pause"),
      resume: () => void flow.push("resume"),
    },
  });
  const add = (name: string, wantReply = true, payload = EMPTY) =>
    requests.add({ name, payload, wantReply });
  return { requests, add, replies, faults, flow, held };
}

describe("the peer's requests", () => {
  it("are handled one after the other, and only those that want it are answered", async () => {
    const running: string[] = [];
    const { add, replies } = incoming(async (name) => {
      running.push(`+${name}`);
      await new Promise(setImmediate);
      running.push(`-${name}`);
      return Buffer.from(name);
    });
    add("a");
    add("b", false);
    add("c");
    await expect.poll(() => replies).toEqual(["true a", "true c"]);
    expect(running).toEqual(["+a", "-a", "+b", "-b", "+c", "-c"]);
  });

  it("get the text of a refusal, but nothing of an unforeseen failure", async () => {
    const { add, replies, faults } = incoming((name) => {
      if (name === "refused") throw new RequestRefused("not today");
      throw new Error("password=1234");
    });
    add("refused");
    add("broken");
    await expect.poll(() => replies).toEqual(["false not today", "false internal error"]);
    expect(faults.length).toBe(1);
  });

  it("stop the reading above 64 waiting, and start it again below half of that", async () => {
    const gate = Promise.withResolvers<void>();
    const { add, replies, flow } = incoming(async () => {
      await gate.promise;
      return undefined;
    });
    for (let index = 0; index < 66; index += 1) add("slow");
    expect(flow).toEqual(["pause"]);
    gate.resolve();
    await expect.poll(() => replies.length).toBe(66);
    expect(flow).toEqual(["pause", "resume"]);
  });

  it("cost something each, also those without a payload", async () => {
    const gate = Promise.withResolvers<undefined>();
    const { add, replies, held } = incoming(() => gate.promise);
    for (let index = 0; index < 11; index += 1) add("empty");
    expect(Math.max(...held)).toBeGreaterThanOrEqual(10 * 256);
    gate.resolve(undefined);
    await expect.poll(() => replies.length).toBe(11);
    expect(held.at(-1)).toBe(0);
  });

  it("leave the rest of a turn of the event loop to others when theirs is over", async () => {
    let handled = 0;
    const perTurn: number[] = [];
    const later: (() => void)[] = [];
    const turns: RequestingPeer["turns"] = {
      nowMs: () => handled,
      isOver: (since) => handled - since >= 3,
      later: (work) => void later.push(work),
    };
    const { add, replies } = incoming(() => {
      handled += 1;
      return undefined;
    }, turns);
    for (let index = 0; index < 8; index += 1) add("quick");
    do {
      const before = handled;
      later.shift()?.();
      await new Promise(setImmediate);
      perTurn.push(handled - before);
    } while (later.length > 0);
    expect([perTurn, replies.length]).toEqual([[2, 3, 2], 8]);
  });

  it("stop the reading above 4 MiB waiting", () => {
    const { add, flow } = incoming(() => new Promise(() => {}));
    add("first");
    add("large", true, Buffer.alloc(5 << 20));
    expect(flow).toEqual(["pause"]);
  });

  it("are forgotten when the connection ends", async () => {
    const gate = Promise.withResolvers<Buffer>();
    const { requests, add, replies } = incoming(() => gate.promise);
    add("a");
    add("b");
    requests.end();
    gate.resolve(EMPTY);
    await new Promise(setImmediate);
    expect(replies).toEqual([]);
  });
});
