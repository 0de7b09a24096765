import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Credentials } from "../../../../../backend/src/credentials/credentials.ts";
import {
  authId,
  type CredentialsFixture,
  openCredentials,
} from "../../../../support/backend/credentials.ts";
import { FakeAgent, type FakeSession } from "../../../../support/backend/sessions.ts";

const FLEET = authId("fleet");
const SESSIONS = 500;
/** What the end of one session takes; four milliseconds are one turn's share. */
const CUT_MS = 0.5;
const PER_TURN = 8;

type Take = (credentials: Credentials) => Promise<unknown>;

const TAKES: readonly [string, Take][] = [
  [
    "the deletion of a credential",
    (credentials) => credentials.removals.remove(FLEET, { force: true, purge: false }),
  ],
  [
    "the deletion of a credential with its records",
    (credentials) => credentials.removals.remove(FLEET, { force: true, purge: true }),
  ],
  [
    "the revocation of a secret",
    (credentials) => {
      const [secret] = credentials.secrets(FLEET);
      return credentials.revocations.secret(FLEET, secret?.id ?? ("" as never));
    },
  ],
];

/** So many hosts on one secret, each of whose ends takes its time. */
async function fleet({ credentials, clients, clock }: CredentialsFixture, password: string) {
  const connect = async (n: number): Promise<FakeSession> => {
    const session = await clients.connect(credentials, new FakeAgent(`h-${n}`, FLEET, password));
    const cut = session.cut.bind(session);
    session.cut = (reason) => {
      if (!session.isClosed) clock.advance(CUT_MS);
      cut(reason);
    };
    return session;
  };
  return await Promise.all(Array.from({ length: SESSIONS }, (_, n) => connect(n)));
}

describe.each(TAKES)(`F-21: %s with ${SESSIONS} sessions`, (_, take) => {
  it("ends them a few per turn, lets nobody in from the first on, serves others in between, and is answered last", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
    const other = await credentials.create({ id: "other", createdBy: "test" });
    const sessions = await fleet(fixture, password);
    const left = () => sessions.filter(({ isClosed }) => !isClosed).length;

    let isAnswered = false;
    const taking = take(credentials).then(() => {
      isAnswered = true;
    });
    const seen: number[] = [];
    for (let turn = 0; left() > 0; turn += 1) {
      seen.push(left());
      const late = clients.connect(credentials, new FakeAgent("late", FLEET, password));
      await expect(late).rejects.toThrow(/deleted|revoked/);
      const host = new FakeAgent(`other-${turn}`, authId("other"), other.password);
      const login = await credentials.login(host.authId, host.password, "192.0.2.9");
      expect(login.kind).toBe("accepted");
      expect(isAnswered).toBe(false);
      await nextTurn();
    }
    await taking;
    // Many looks find some ended and others not yet, and each finds fewer than the one before.
    const midway = new Set(seen.filter((count) => count < SESSIONS));
    expect(midway.size).toBeGreaterThan(SESSIONS / PER_TURN / 8);
    expect([...seen].sort((one, two) => two - one)).toEqual(seen);
    expect(clients.presence.ofCredential(FLEET)).toEqual([]);
  });
});
