import { FEATURES, REQUESTS, type RequestEnded } from "@rport/protocol/agent";
import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import type { Reply } from "@rport/protocol/wire/requests";
import { WireError } from "@rport/protocol/wire/wireError";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FROM_AGENTS } from "../../../../../backend/src/clients/session/fromAgents.ts";
import { LongRequests } from "../../../../../backend/src/clients/session/longRequests.ts";
import { Notices, type NoticeTarget } from "../../../../../backend/src/clients/session/notices.ts";
import { Limits } from "../../../../../backend/src/limits/limits.ts";
import { FakeClock } from "../../../../support/clock.ts";
import { testLog } from "../../../../support/log.ts";

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const done = (id: string, result: Record<string, unknown> = {}) =>
  ({ long_id: id, ok: true, result }) as const;
const NAMES = {
  address: "192.0.2.1",
  credentialId: authIdSchema.parse("fleet"),
  secretId: secretIdSchema.parse("secret-1"),
  clientId: clientIdSchema.parse("machine-1"),
  hostKey: undefined,
};
const turn = () => new Promise(setImmediate);

/** Long requests to an agent that accepts each, and what it was sent. */
const named = (name: string) => ({ accountId: name, name });

function setUp(features: readonly string[] = [FEATURES.longRequests]) {
  const clock = new FakeClock();
  const sent: { long_id?: string }[] = [];
  const accept = async (_name: string, payload: { long_id?: string }): Promise<Reply> => {
    sent.push(payload);
    return { ok: true, payload: json({ accepted: payload.long_id }) };
  };
  const { log, lines } = testLog();
  const limits = new Limits({ clock, log });
  const session = { ...NAMES, features, ask: accept };
  return {
    clock,
    sent,
    session,
    limits,
    lines,
    long: new LongRequests({ session, clock, limits }),
  };
}

describe("requests that take long", () => {
  it("end with what the agent says, each with its own", async () => {
    const { long, sent } = setUp();
    const first = long.ask("check_port", { HostPort: "a:1" });
    const second = long.ask("check_port", { HostPort: "b:2" });
    await turn();
    expect(sent).toEqual([
      { HostPort: "a:1", long_id: "1" },
      { HostPort: "b:2", long_id: "2" },
    ]);
    expect(long.settle({ long_id: "2", ok: false, error: "no" })).toBe(true);
    expect(long.settle(done("1", { Open: true }))).toBe(true);
    expect(await first).toEqual({ ok: true, payload: json({ Open: true }) });
    expect(await second).toEqual({ ok: false, payload: Buffer.from("no") });
    expect(long.count).toBe(0);
  });

  it("end also when the end came in the same bytes as the acceptance", async () => {
    const { long } = setUp();
    const asking = long.ask("check_port", {});
    expect(long.settle(done("1"))).toBe(true);
    expect(await asking).toMatchObject({ ok: true });
  });

  it("take an answer that is no acceptance for the answer, and refuse an end after it", async () => {
    const { long, session } = setUp();
    session.ask = async () => ({ ok: true, payload: json({ Open: true }) });
    expect(await long.ask("check_port", {})).toMatchObject({ payload: json({ Open: true }) });
    expect(long.settle(done("1"))).toBe(false);
  });

  it("are asked as ever when the agent does not know how", async () => {
    const { long, sent } = setUp([]);
    await long.ask("check_port", { HostPort: "a:1" });
    expect(sent).toEqual([{ HostPort: "a:1" }]);
  });

  it("know no end of what is not under way: unknown, told twice, overdue", async () => {
    const { long, clock } = setUp();
    const told = long.ask("check_port", {});
    const late = long.ask("check_port", {});
    await turn();
    expect(long.settle(done("1"))).toBe(true);
    expect(long.settle(done("1"))).toBe(false);
    expect(long.settle(done("7"))).toBe(false);
    await told;
    clock.advance(20_000);
    await expect(late).rejects.toMatchObject({ kind: "timeout" });
    expect(long.settle(done("2"))).toBe(false);
    expect(clock.timers).toBe(0);
  });

  it("C-29: fail at once when the end is nested so deep that it cannot be passed on", async () => {
    const { long, clock } = setUp();
    const asking = long.ask("check_port", {});
    await turn();
    const depth = 60_000;
    const deep: unknown = JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`);
    expect(long.settle(done("1", { deep }))).toBe(true);
    await expect(asking).rejects.toMatchObject({ code: "AGENT_REFUSED" });
    expect(clock.timers).toBe(0);
  });

  it("take nothing else for an end", async () => {
    const { long } = setUp();
    const asking = long.ask("check_port", {});
    await turn();
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const shaped = fc
      .record({ long_id: fc.anything(), ok: fc.anything(), result: fc.anything() })
      .map((value) => Buffer.from(JSON.stringify(value) ?? ""));
    const requestEnded = (ended: RequestEnded) => long.settle(ended);
    const target = { expectsEnds: true, requestEnded } as NoticeTarget;
    const notices = new Notices(FROM_AGENTS);
    const isTaken = (payload: Buffer) =>
      notices.take(REQUESTS.requestEnded, payload, target) === undefined;
    fc.assert(fc.property(fc.oneof(bytes, shaped), (payload) => !isTaken(payload)));
    expect(isTaken(json(done("1", { text: "x".repeat(300_000) })))).toBe(false);
    expect(long.count).toBe(1);
    long.settle(done("1"));
    await asking;
  });

  it("are bounded in number", async () => {
    const { long } = setUp();
    const asking = Array.from({ length: 32 }, () => long.ask("check_port", {}));
    await expect(long.ask("check_port", {})).rejects.toMatchObject({ code: "UNAVAILABLE" });
    for (let id = 1; id <= 32; id++) long.settle(done(String(id)));
    await Promise.all(asking);
    const next = long.ask("check_port", {});
    long.settle(done("33"));
    await next;
  });

  it("of one user never take all places: others get in, whatever that user asks", async () => {
    const { long, limits, lines } = setUp();
    const asking = Array.from({ length: 16 }, () => long.ask("check_port", {}, named("anna")));
    const more = long.ask("check_port", {}, named("anna"));
    await expect(more).rejects.toMatchObject({
      code: "TOO_MANY_REQUESTS",
      message: expect.stringMatching(/^16 of your questions wait .* one user may/),
    });
    const bert = Array.from({ length: 8 }, () => long.ask("check_port", {}, named("bert")));
    await expect(long.ask("check_port", {}, named("bert"))).rejects.toMatchObject({
      code: "TOO_MANY_REQUESTS",
    });
    const others = ["c", "d", "e"].map((user) => long.ask("check_port", {}, named(user)));
    const bites = limits.states().filter((state) => state.bites > 0);
    expect(bites).toMatchObject([{ name: "questions_per_user", bites: 2 }]);
    expect(lines).toContainEqual(expect.stringMatching(/a limit was met.*machine-1.*anna/));
    for (let id = 1; id <= 27; id++) long.settle(done(String(id)));
    await Promise.all([...asking, ...bert, ...others]);
    const again = long.ask("check_port", {}, named("anna"));
    long.settle(done("28"));
    await again;
  });

  it("of one user are as few at agents that answer one after the other", async () => {
    const { long, session } = setUp([]);
    session.ask = () => new Promise(() => {});
    for (let n = 0; n < 16; n++) void long.ask("check_port", {}, named("anna"));
    await expect(long.ask("check_port", {}, named("anna"))).rejects.toMatchObject({
      code: "TOO_MANY_REQUESTS",
    });
  });

  it("end with the connection", async () => {
    const { long, clock } = setUp();
    const asking = long.ask("check_port", {});
    await turn();
    long.end(new WireError("lost", "the connection was lost"));
    await expect(asking).rejects.toMatchObject({ kind: "lost" });
    expect([long.count, clock.timers]).toEqual([0, 0]);
  });
});
