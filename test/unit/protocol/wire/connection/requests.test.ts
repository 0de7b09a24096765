import {
  assertPayload,
  IncomingRequests,
  OutgoingRequests,
  type Reply,
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

function incoming(handle: (name: string) => Promise<Buffer | undefined> | Buffer | undefined) {
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
      held: { set: () => {} },
      pause: () => void flow.push("pause"),
      resume: () => void flow.push("resume"),
    },
  });
  const add = (name: string, wantReply = true, payload = EMPTY) =>
    requests.add({ name, payload, wantReply });
  return { requests, add, replies, faults, flow };
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
