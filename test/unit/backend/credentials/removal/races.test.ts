import { setImmediate as nextTurn } from "node:timers/promises";
import type { SecretId } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";

const FLEET = authId("fleet");
const RACES = 200;
const WAVE = 25;
const HOUR_MS = 3_600_000;

/** Comes back at once, over and over, until it is turned away; answers how often it was let in. */
async function attack({ clients, credentials }: CredentialsFixture, agent: FakeAgent) {
  for (let joins = 0; ; joins += 1) {
    await nextTurn();
    const session = await clients.connect(credentials, agent).catch(() => undefined);
    if (session === undefined) return joins;
    if (joins % 3 === 2) session.cut("it goes by itself");
  }
}

async function after(turns: number, take: () => Promise<unknown>): Promise<void> {
  for (let turn = turns; turn > 0; turn -= 1) await nextTurn();
  await take();
}

/** A secret of the credential, bound at its first use or not, and its id. */
async function secretFor({ credentials, clock }: CredentialsFixture, isBound: boolean) {
  if (!isBound) return await credentials.addSecret(FLEET);
  const [minted] = await credentials.mintForPairing(FLEET, 1, clock.now() + HOUR_MS);
  if (minted === undefined) throw new Error("nothing was minted");
  return { secretId: minted.secretId, password: minted.secret };
}

type Take = (credentials: Credentials, agent: FakeAgent, secretId: SecretId) => Promise<unknown>;

const TAKES: readonly [string, Take][] = [
  ["a secret", (credentials, _, id) => credentials.revocations.secret(FLEET, id)],
  ["a host", (credentials, { clientId }) => credentials.revocations.client(clientId)],
];

describe("C-36: revocations that race logins leave no session behind", () => {
  it.each(TAKES)(
    `of %s, ${RACES} of them`,
    async (_, take) => {
      await using fixture = await openCredentials();
      const { credentials, clients } = fixture;
      await credentials.create({ id: FLEET, createdBy: "test" });
      const left: number[] = [];
      let joins = 0;
      const race = async (index: number): Promise<void> => {
        const { password, secretId } = await secretFor(fixture, index % 2 === 0);
        const agent = new FakeAgent(`host-${index}`, FLEET, password);
        (await clients.connect(credentials, agent)).cut("away");
        const taking = after(index % 7, async () => {
          await take(credentials, agent, secretId);
          if (clients.presence.locate(agent.clientId) !== undefined) left.push(index);
        });
        const [count] = await Promise.all([attack(fixture, agent), taking]);
        joins += count;
        if (clients.presence.locate(agent.clientId) !== undefined) left.push(index);
      };
      for (let first = 0; first < RACES; first += WAVE) {
        await Promise.all(Array.from({ length: WAVE }, (_one, n) => race(first + n)));
      }
      expect(joins).toBeGreaterThan(RACES / 2);
      expect(left).toEqual([]);
      const again = await fixture.crash();
      for (let index = 0; index < RACES; index += 20) {
        expect(
          clients.registry.clientOf(new FakeAgent(`host-${index}`, FLEET, "").clientId),
        ).toBeDefined();
      }
      expect(again.get(FLEET)).toBeDefined();
    },
    30_000,
  );
});
