import { authIdSchema, clientIdSchema, secretIdSchema } from "@rport/protocol/ids";
import { HeldBytes } from "@rport/protocol/wire/held";
import { expect, it } from "vitest";
import type { MetLimit } from "../../../backend/src/audit/agentEvents.ts";
import { TunnelChannels } from "../../../backend/src/clients/session/tunnelChannels.ts";
import { Limits } from "../../../backend/src/limits/limits.ts";
import { FakeClock } from "../../support/clock.ts";
import { testLog } from "../../support/log.ts";
import { connectPair } from "../../support/wire/wirePair.ts";

const MAX = 1 << 20;
const SESSION = {
  address: "192.0.2.1",
  credentialId: authIdSchema.parse("fleet"),
  secretId: secretIdSchema.parse("secret-1"),
  clientId: clientIdSchema.parse("web-01"),
  hostKey: undefined,
};

it("a connection to a host ends when others were promised all that may be held, which is told", async () => {
  const { log, lines } = testLog();
  const limits = new Limits({ values: { held_bytes: MAX }, clock: new FakeClock(), log });
  const held = new HeldBytes({ max: MAX, perConnection: MAX });
  await using pair = await connectPair({
    held,
    client: { onOpen: () => ({ accept: (channel) => void channel.resume() }) },
  });
  const told: MetLimit[] = [];
  const channels = new TunnelChannels({
    session: SESSION,
    connection: pair.server,
    deps: {
      limits,
      agentEvents: { tunnelsFull: (_agent, met) => void told.push(met) },
      registry: { record: () => undefined },
    },
  });
  const target = { host: "127.0.0.1", port: 22 };
  const others = held.open(() => {});
  others.promise(held.free);
  const ann = { accountId: "account 1", name: "ann" };
  await expect(channels.open(target, ann)).rejects.toMatchObject({ kind: "limit" });
  expect(told).toEqual([{ limit: "held_bytes", max: MAX }]);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ limit: "held_bytes", client: "web-01" }),
  ]);
  others.close();
  const channel = await channels.open(target, ann);
  channel.destroy();
  expect(told).toHaveLength(1);
});
