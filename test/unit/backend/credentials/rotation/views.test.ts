import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it, vi } from "vitest";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const LARGE = 600;
const LOOK_MS = 1_000;

/** Hosts that have been there and are away, and one that comes. */
async function fleetOf(size: number, { credentials, clients }: CredentialsFixture) {
  const { password, secretId } = await credentials.create({ id: FLEET, createdBy: "test" });
  for (let n = 0; n < size; n += 1) {
    await clients.record(clientIdSchema.parse(`host-${n}`), { authId: FLEET, secretId });
  }
  return new FakeAgent("host-0", FLEET, password);
}

/** How often the list of a credential's clients was asked for. */
const looksOf = ({ clients }: CredentialsFixture) =>
  vi.spyOn(clients.registry, "clientsOf").mock.calls;

describe("the view of a credential", () => {
  it("asks for no client while no rotation is under way", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    await fleetOf(3, fixture);
    const looks = looksOf(fixture);
    expect(credentials.get(FLEET)).toMatchObject({ rotation: null, clients_total: 3 });
    expect(looks).toHaveLength(0);
  });

  it("is exact at each look while a small fleet rotates", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients } = fixture;
    const agent = await fleetOf(3, fixture);
    await credentials.rotations.start(FLEET, undefined);
    expect(credentials.get(FLEET)?.rotation).toMatchObject({ moved: 0, total: 3 });
    await clients.connect(credentials, agent);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toMatchObject({ moved: 1 }));
  });

  it("F-04: looks at a large fleet that rotates once a second, and tells the last state", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock, touched } = fixture;
    const agent = await fleetOf(LARGE, fixture);
    await credentials.rotations.start(FLEET, undefined);
    const looks = looksOf(fixture);
    expect(credentials.get(FLEET)?.rotation).toMatchObject({ moved: 0, total: LARGE });
    await clients.connect(credentials, agent);
    await eventually(async () =>
      expect((await credentials.rotations.show(FLEET)).rotation?.moved).toBe(1),
    );
    looks.length = 0;
    for (let n = 0; n < 1_000; n += 1) {
      expect(credentials.get(FLEET)?.rotation).toMatchObject({ moved: 0 });
    }
    expect(looks).toHaveLength(0);
    touched.length = 0;
    clock.advance(LOOK_MS);
    expect(touched).toContain(`credential ${FLEET}`);
    looks.length = 0;
    expect(credentials.get(FLEET)?.rotation).toMatchObject({ moved: 1, total: LARGE });
    expect(looks).toHaveLength(1);
    touched.length = 0;
    clock.advance(10 * LOOK_MS);
    expect(touched).toEqual([]);
  });

  it("shows the beginning, another beginning and the end of a large rotation at once", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    await fleetOf(LARGE, fixture);
    const startedAt = () => credentials.get(FLEET)?.rotation?.started_at;
    expect(startedAt()).toBeUndefined();
    await credentials.rotations.start(FLEET, undefined);
    const first = startedAt();
    expect(first).toBe(new Date(clock.now()).toISOString());
    clock.advance(1);
    await credentials.rotations.start(FLEET, undefined);
    expect(startedAt()).toBe(new Date(clock.now()).toISOString());
    await credentials.rotations.abandon(FLEET);
    expect(startedAt()).toBeUndefined();
  });
});
