import { FEATURES, REQUESTS, TUNNEL_CHANNEL } from "@rport/protocol/agent";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ChannelTable } from "../../../agent/src/channels/channelTable.ts";
import { CredentialStore } from "../../../agent/src/config/credentialStore.ts";
import { createLog, type Log } from "../../../agent/src/platform/log.ts";
import { Control } from "../../../agent/src/requests/control.ts";
import { parseRule } from "../../../agent/src/tunnels/allow.ts";
import { Dialer } from "../../../agent/src/tunnels/dial.ts";
import { noTerminals } from "../../support/agents/noTerminals.ts";
import { FakeClock } from "../../support/clock.ts";

const SILENT = createLog({ level: "error", clock: new FakeClock(), write: () => {} });
/** Nothing is reachable, so that no test connects anywhere. */
const rules = [parseRule("192.0.2.1:1")].flatMap((rule) => rule ?? []);
const resolve = async () => ["203.0.113.1"];

function control(features: readonly string[] = Object.values(FEATURES), log: Log = SILENT) {
  const credentials = new CredentialStore(
    {
      fingerprint: "",
      file: "/nowhere/rport.conf",
      credential: { authId: "id", secret: "old" },
    },
    new FakeClock(),
  );
  const seen: ReadonlySet<string>[] = [];
  const onFeatures = (agreed: ReadonlySet<string>) => void seen.push(agreed);
  const onHeld = () => undefined;
  const made = new Control({
    tells: true,
    terminals: noTerminals(),
    rules,
    resolve,
    credentials,
    clock: new FakeClock(),
    log,
    onFeatures,
    onHeld,
    onEnded: () => {},
  });
  const payload = Buffer.from(JSON.stringify({ Features: features }));
  void made.answer(REQUESTS.putCapabilities, payload);
  return { control: made, credentials, seen };
}

const NAMES = [...Object.values(REQUESTS), "run_cmd", "__proto__", "constructor", "toString", ""];
const name = fc.oneof(fc.constantFrom(...NAMES), fc.string());
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .record({
      Remote: fc.anything(),
      HostPort: fc.anything(),
      Timeout: fc.anything(),
      long_id: fc.anything(),
    })
    .map((value) => Buffer.from(JSON.stringify(value) ?? "")),
  fc
    .record({ auth_id: fc.anything(), secret_id: fc.string(), secret: fc.string() })
    .map((value) => Buffer.from(JSON.stringify(value) ?? "")),
);

describe("an agent and a hostile server", () => {
  it("C-29, F-18, S-27: answers or refuses every request, and nothing changes", async () => {
    const { control: hostile, credentials } = control();
    await fc.assert(
      fc.asyncProperty(name, payload, async (asked, bytes) => {
        try {
          const answer = await hostile.answer(asked, bytes);
          expect(answer === undefined || Buffer.isBuffer(answer)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(RequestRefused);
        }
        expect(credentials.current.secret).toBe("old");
      }),
      { numRuns: 500 },
    );
  });

  it("C-29, S-27: decides about every channel without throwing, and never lets a forbidden one in", () => {
    const channels = new ChannelTable({
      dialer: new Dialer({ rules, resolve, log: SILENT }),
      terminals: noTerminals(),
    });
    const targets = fc.oneof(
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6()), fc.nat(70_000), fc.string())
        .map(([host, port, rest]) => Buffer.from(`${host}:${port}/${rest}`)),
      fc.tuple(fc.ipV4(), fc.nat(65_535)).map(([host, port]) => Buffer.from(`${host}:${port}`)),
    );
    fc.assert(
      fc.property(targets, (extra) => {
        const decision = channels.decide(TUNNEL_CHANNEL, extra);
        // Whatever is no plain address is looked up after the channel was confirmed.
        if (/^[0-9.]+:[0-9]+$/.test(extra.toString())) expect(decision).toHaveProperty("refuse");
      }),
      { numRuns: 1_000 },
    );
  });

  it("has no channels but tunnels, and says so", () => {
    const channels = new ChannelTable({
      dialer: new Dialer({ rules: [], resolve, log: SILENT }),
      terminals: noTerminals(),
    });
    fc.assert(
      fc.property(fc.string(), (type) => {
        fc.pre(type !== TUNNEL_CHANNEL);
        expect(channels.decide(type, Buffer.from("192.0.2.1:1"))).toEqual({
          refuse: expect.stringMatching(/^this agent has no channels of the type "/),
          code: 3,
        });
      }),
    );
  });

  it.each([
    [{ auth_id: "other" }, "another auth id"],
    [{ secret: "refused a tunnel target" }, "cannot be read"],
    [{ secret: '"level":"warn","message"' }, "cannot be read"],
  ])("S-27: takes nothing out of its log for an offer that it refuses: %j", async (offer, why) => {
    const hidden: string[] = [];
    const watched = { ...SILENT, hide: (text: string) => void hidden.push(text) };
    watched.hideOffered = watched.hide;
    const { control: hostile, credentials } = control(undefined, watched);
    const good = { auth_id: "id", secret_id: "s_0123456789abcdef", secret: "x".repeat(43) };
    const bytes = Buffer.from(JSON.stringify({ ...good, ...offer }));
    await expect(hostile.answer(REQUESTS.rotateSecret, bytes)).rejects.toThrow(why);
    expect(hidden).toEqual([]);
    expect(credentials.current.secret).toBe("old");
  });

  it("agrees on the extensions that both sides list, and on no others", () => {
    const { seen } = control(["half-close", "self-destruct", "toString"]);
    expect(seen).toEqual([new Set(["half-close"])]);
  });
});
