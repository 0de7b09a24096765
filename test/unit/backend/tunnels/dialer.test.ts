import { type Duplex, PassThrough } from "node:stream";
import { clientIdSchema } from "@rport/protocol/ids";
import { WireError, type WireErrorKind } from "@rport/protocol/wire/wireError";
import { expect, it } from "vitest";
import type { AgentLink } from "../../../../backend/src/clients/liveSession.ts";
import { createDial, createLinkDial } from "../../../../backend/src/tunnels/dialer.ts";
import { FakeClock } from "../../../support/clock.ts";

const ID = clientIdSchema.parse("machine-1");
const TARGET = { host: "::1", port: 22 };

const linkTo = (openChannel: AgentLink["openChannel"], isClosed = false): AgentLink => ({
  clientId: ID,
  isClosed,
  hasTunnelRules: true,
  openChannel,
  ask: () => Promise.reject(new Error("not in this test")),
  askLong: () => Promise.reject(new Error("not in this test")),
});

it("has no client that is away, or whose connection has just ended", async () => {
  const dialLink = createLinkDial(new FakeClock());
  for (const link of [undefined, linkTo(async () => new PassThrough(), true)]) {
    const dialing = createDial(() => link, dialLink)(ID, TARGET);
    await expect(dialing).rejects.toMatchObject({ code: "CLIENT_OFFLINE" });
  }
});

it.each<[WireErrorKind, string, string]>([
  ["refused", 'not allowed with "tunnel_allowed" config', "TARGET_NOT_ALLOWED"],
  ["refused", "connection refused", "AGENT_REFUSED"],
  ["limit", "too many channels on this connection", "UNAVAILABLE"],
  ["lost", "the connection was lost", "CLIENT_OFFLINE"],
  ["timeout", "no reply to ping in time", "AGENT_TIMEOUT"],
])("turns a failure of kind %s (%s) into %s", async (kind, text, code) => {
  const dialLink = createLinkDial(new FakeClock());
  const link = linkTo(() => Promise.reject(new WireError(kind, text)));
  await expect(dialLink(link, TARGET)).rejects.toMatchObject({ code });
});

it("S-05: waits 30 s for an agent that does not answer, and destroys what comes later", async () => {
  const clock = new FakeClock();
  let answer: (channel: Duplex) => void = () => {};
  const link = linkTo(() => new Promise((resolve) => (answer = resolve)));
  const dialing = createLinkDial(clock)(link, TARGET);
  clock.advance(30_000);
  await expect(dialing).rejects.toMatchObject({ code: "AGENT_TIMEOUT" });
  const late = new PassThrough();
  answer(late);
  await new Promise(setImmediate);
  expect(late.destroyed).toBe(true);
});

it("leaves no timer behind when the agent has answered", async () => {
  const clock = new FakeClock();
  const channel = new PassThrough();
  expect(
    await createLinkDial(clock)(
      linkTo(async () => channel),
      TARGET,
    ),
  ).toBe(channel);
  expect(clock.timers).toBe(0);
});
