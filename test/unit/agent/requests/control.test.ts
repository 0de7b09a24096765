import { FEATURES, REQUESTS, type RequestEnded } from "@rport/protocol/agent";
import { describe, expect, it } from "vitest";
import { CredentialStore } from "../../../../agent/src/config/credentialStore.ts";
import { createLog } from "../../../../agent/src/platform/log.ts";
import { Control } from "../../../../agent/src/requests/control.ts";
import { parseRule } from "../../../../agent/src/tunnels/allow.ts";
import { noTerminals } from "../../../support/agents/noTerminals.ts";
import { FakeClock } from "../../../support/clock.ts";

/** Allows nothing, so that no test connects anywhere. */
const rules = [parseRule("192.0.2.1:1")].flatMap((rule) => rule ?? []);
const turn = () => new Promise(setImmediate);

/** The answers of one connection; names are looked up when the test says so. */
function setUp() {
  const clock = new FakeClock();
  const ended: RequestEnded[] = [];
  const lookups: PromiseWithResolvers<readonly string[]>[] = [];
  const credentials = new CredentialStore(
    {
      file: "/nowhere/rport.conf",
      fingerprint: "",
      credential: { authId: "id", secret: "old" },
    },
    clock,
  );
  const control = new Control({
    tells: true,
    terminals: noTerminals(),
    rules,
    credentials,
    clock,
    resolve: () => {
      const lookup = Promise.withResolvers<readonly string[]>();
      lookups.push(lookup);
      return lookup.promise;
    },
    log: createLog({ level: "error", clock, write: () => {} }),
    onHeld: () => {},
    onFeatures: () => {},
    onEnded: (end) => void ended.push(end),
  });
  const ask = async (name: string, body: object = {}) => {
    const answer = await control.answer(name, Buffer.from(JSON.stringify(body)));
    return answer === undefined ? undefined : JSON.parse(answer.toString());
  };
  return { clock, ended, lookups, control, ask };
}

const checkPort = (long_id?: string) => ({ HostPort: "slow.test:1", Timeout: 0, long_id });

describe("the answers of an agent", () => {
  it("accept what takes long, and tell its end later", async () => {
    const { ask, lookups, ended } = setUp();
    expect(await ask(REQUESTS.checkPort, checkPort("a"))).toEqual({ accepted: "a" });
    expect(await ask(REQUESTS.checkTunnelAllowed, { Remote: "slow.test:1", long_id: "b" })).toEqual(
      { accepted: "b" },
    );
    await turn();
    expect(await ask(REQUESTS.ping)).toBeUndefined();
    expect(ended).toEqual([]);
    lookups[1]?.resolve(["192.0.2.1"]);
    await turn();
    lookups[0]?.reject(new Error("no such name"));
    await turn();
    expect(ended).toEqual([
      { long_id: "b", ok: true, result: { IsAllowed: true } },
      { long_id: "a", ok: true, result: { Open: false, ErrMsg: "no such name" } },
    ]);
  });

  it("come in their turn without an id, and not later than after ten seconds", async () => {
    const { ask, clock, ended } = setUp();
    const checking = ask(REQUESTS.checkPort, checkPort());
    const allowing = ask(REQUESTS.checkTunnelAllowed, { Remote: "slow.test:1" });
    allowing.catch(() => {});
    clock.advance(10_000);
    expect(await checking).toEqual({ Open: false, ErrMsg: "i/o timeout" });
    await expect(allowing).rejects.toThrow("i/o timeout");
    expect([ended.length, clock.timers]).toEqual([0, 0]);
  });

  it("refuse an id that is under way, one too many, and what cannot be read", async () => {
    const { ask, lookups } = setUp();
    await expect(ask(REQUESTS.checkPort, { HostPort: 1, long_id: "x" })).rejects.toThrow(
      "cannot be read",
    );
    for (let n = 0; n < 32; n++) await ask(REQUESTS.checkPort, checkPort(String(n)));
    await expect(ask(REQUESTS.checkPort, checkPort("0"))).rejects.toThrow("under way");
    await expect(ask(REQUESTS.checkPort, checkPort("32"))).rejects.toThrow("too many");
    await turn();
    for (const lookup of lookups) lookup.resolve([]);
    await turn();
    expect(await ask(REQUESTS.checkPort, checkPort("0"))).toEqual({ accepted: "0" });
  });

  it("give up what is under way after a quarter of a minute, or when the connection has ended", async () => {
    const { ask, clock, control, ended } = setUp();
    await ask(REQUESTS.checkPort, checkPort("late"));
    await turn();
    clock.advance(15_000);
    await turn();
    expect(ended).toMatchObject([{ long_id: "late", ok: true, result: { Open: false } }]);
    await ask(REQUESTS.checkPort, checkPort("cut"));
    const waiting = ask(REQUESTS.checkPort, checkPort());
    await turn();
    control.end();
    expect(await waiting).toMatchObject({ ErrMsg: "the connection has ended" });
    await turn();
    expect(clock.timers).toBe(0);
  });

  it("are not given later to a request that is done at once", async () => {
    const { ask } = setUp();
    expect(await ask(REQUESTS.ping, { long_id: "a" })).toBeUndefined();
    const capabilities = { Features: Object.values(FEATURES) };
    await ask(REQUESTS.putCapabilities, capabilities);
    const rotating = ask(REQUESTS.rotateSecret, {
      auth_id: "other",
      secret_id: "secret-0001",
      secret: "s".repeat(43),
      long_id: "a",
    });
    await expect(rotating).rejects.toThrow("another auth id");
  });

  it("refuse more bytes than a request has", async () => {
    const { control } = setUp();
    const payload = Buffer.from(JSON.stringify({ HostPort: "x:1", pad: "x".repeat(5_000) }));
    await expect(control.answer(REQUESTS.checkPort, payload)).rejects.toThrow("too large");
  });
});
