import { afterEach, describe, expect, it } from "vitest";
import {
  authId,
  type CredentialsFixture,
  openCredentials,
} from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";

const FLEET = authId("fleet");
const HOUR_MS = 3_600_000;
const HOSTS = 100;
/** Two slices of 4 ms may touch between two turns that are counted; a look takes 1 ms. */
const LOOKS_PER_TURN = 10;

const counting: NodeJS.Immediate[] = [];
afterEach(() => {
  for (const turn of counting.splice(0)) clearImmediate(turn);
});

/** Hosts that came once, and are away. */
async function setUp(fixture: CredentialsFixture) {
  const { credentials, clients } = fixture;
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  for (let n = 0; n < HOSTS; n += 1) {
    const agent = new FakeAgent(`h-${n}`, FLEET, password);
    (await clients.connect(credentials, agent)).cut("away");
  }
  return password;
}

/** From now on a look at a client takes a millisecond; answers how many one turn had at the most. */
function countLooks({ clients: { registry }, clock }: CredentialsFixture): () => number {
  const look = registry.clientOf.bind(registry);
  let [inTurn, most] = [0, 0];
  registry.clientOf = (id) => {
    inTurn += 1;
    most = Math.max(most, inTurn);
    clock.advance(1);
    return look(id);
  };
  const turn = () => {
    inTurn = 0;
    counting[0] = setImmediate(turn);
  };
  turn();
  return () => most;
}

describe("the clients of a rotation, of a large fleet", () => {
  it("are shown some in each turn of the event loop", async () => {
    await using fixture = await openCredentials();
    await setUp(fixture);
    await fixture.credentials.rotations.start(FLEET, HOUR_MS);
    const mostLooks = countLooks(fixture);
    const { rotation, clients } = await fixture.credentials.rotations.show(FLEET);
    expect(mostLooks()).toBeLessThanOrEqual(LOOKS_PER_TURN);
    expect(rotation).toMatchObject({ total: HOSTS, moved: 0 });
    expect(new Set(clients.map(({ id }) => id)).size).toBe(HOSTS);
  });

  it("are told before it begins, some in each turn", async () => {
    await using fixture = await openCredentials();
    await setUp(fixture);
    const mostLooks = countLooks(fixture);
    const { rotation, clients } = await fixture.credentials.rotations.previewStart(FLEET, HOUR_MS);
    expect(mostLooks()).toBeLessThanOrEqual(LOOKS_PER_TURN);
    expect([rotation.total, clients.length]).toEqual([HOSTS, HOSTS]);
  });

  it("are told when it has begun, some in each turn after the one that plans it", async () => {
    await using fixture = await openCredentials();
    await setUp(fixture);
    const mostLooks = countLooks(fixture);
    const { clients } = await fixture.credentials.rotations.start(FLEET, HOUR_MS);
    expect(mostLooks()).toBeLessThanOrEqual(HOSTS + LOOKS_PER_TURN);
    expect(clients).toHaveLength(HOSTS);
  });

  it("are those of the rotation that is under way at the end, and none when it has ended", async () => {
    await using fixture = await openCredentials();
    await setUp(fixture);
    const { credentials, clients } = fixture;
    await credentials.rotations.start(FLEET, HOUR_MS);
    countLooks(fixture);
    const ids = [...clients.registry.idsOf(FLEET)];
    let isEnded = false;
    // It is looked for as long as the rotation takes to end.
    clients.registry.idsOf = function* () {
      while (!isEnded) yield* ids;
    };
    const shown = credentials.rotations.show(FLEET);
    await credentials.rotations.abandon(FLEET);
    isEnded = true;
    expect(await shown).toEqual({ rotation: undefined, clients: [] });
  });
});
