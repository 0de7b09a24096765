import { describe, expect, it } from "vitest";
import type { Edit } from "../../../../../backend/src/store/edits/edit.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET = authId("fleet");
const OTHER = authId("other");
const HOUR_MS = 3_600_000;
/** As many of one credential as are asked at a time. */
const MANY = 64;

/** Hosts of a credential, connected, of which the first ones answer no offer. */
async function fleetOf(fixture: CredentialsFixture, silent: number, answering: number) {
  const { credentials, clients } = fixture;
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const asked: string[] = [];
  const agents = Array.from({ length: silent + answering }, (_, n) => {
    const agent = new FakeAgent(`h-${n}`, FLEET, password);
    const { onOffer } = agent;
    agent.onOffer = (self, offer) => {
      asked.push(self.clientId);
      return n < silent ? new Promise(() => undefined) : onOffer(self, offer);
    };
    return agent;
  });
  const sessions = [];
  for (const agent of agents) sessions.push(await clients.connect(credentials, agent));
  return { password, asked, agents, sessions };
}

async function isLetIn({ credentials }: CredentialsFixture, password: string): Promise<boolean> {
  return (await credentials.login(FLEET, password, "192.0.2.7")).kind === "accepted";
}

describe("hosts that never answer when they are handed a secret", () => {
  it("F-22: keep no host of another credential from moving before its old secret stops", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { asked } = await fleetOf(fixture, MANY, 0);
    await credentials.rotations.start(FLEET, HOUR_MS);
    await eventually(() => expect(asked).toHaveLength(MANY));
    const { password } = await credentials.create({ id: OTHER, createdBy: "test" });
    const agent = new FakeAgent("web-01", OTHER, password);
    const session = await clients.connect(credentials, agent);
    await credentials.rotations.start(OTHER, 0);
    clock.advance(10_000);
    await eventually(() => expect(credentials.get(OTHER)?.rotation).toBeNull());
    expect(agent.password).not.toBe(password);
    expect(session.cutReason).toBeUndefined();
  });

  it("have ten seconds each without grace, and the others move after them and are not cut", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const { password, asked, sessions } = await fleetOf(fixture, MANY, 1);
    await credentials.rotations.start(FLEET, 0);
    await eventually(() => expect(asked).toHaveLength(MANY));
    clock.advance(9_999);
    expect(await isLetIn(fixture, password)).toBe(true);
    clock.advance(1);
    await eventually(() => expect(credentials.get(FLEET)?.rotation).toBeNull());
    expect(asked).toHaveLength(MANY + 1);
    const left = sessions.filter(({ cutReason }) => cutReason === undefined);
    expect(left.map(({ clientId }) => clientId)).toEqual([`h-${MANY}`]);
    expect(await isLetIn(fixture, password)).toBe(false);
  });

  it("are asked again after a minute, however often they come back meanwhile", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock } = fixture;
    const { asked, agents, sessions } = await fleetOf(fixture, 1, 0);
    const [agent] = agents;
    if (agent === undefined) throw new Error("there is no host");
    await credentials.rotations.start(FLEET, HOUR_MS);
    await eventually(() => expect(asked).toHaveLength(1));
    clock.advance(10_000);
    sessions[0]?.cut("the answer is overdue");
    for (let n = 0; n < 3; n += 1) {
      (await clients.connect(credentials, agent)).cut("broken line");
    }
    await clients.connect(credentials, agent);
    await credentials.rotations.previewStart(FLEET, undefined);
    expect(asked).toHaveLength(1);
    clock.advance(60_000);
    await eventually(() => expect(asked).toHaveLength(2));
  });
});

describe("a rotation without grace", () => {
  it("ends after a minute also when somebody could not be asked until then", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const { password, asked, sessions } = await fleetOf(fixture, 0, 1);
    const isMint = (edit: Edit) => edit.kind === "add" && edit.row.origin === "rotation";
    const mint = fixture.edits.hold(isMint);
    await credentials.rotations.start(FLEET, 0);
    await mint.arrived;
    clock.advance(59_999);
    expect(await isLetIn(fixture, password)).toBe(true);
    clock.advance(1);
    await eventually(() => expect(sessions[0]?.cutReason).toMatch(/grace is over/));
    expect(await isLetIn(fixture, password)).toBe(false);
    mint.goOn();
    await eventually(() => expect(credentials.get(FLEET)?.secrets_active).toBe(0));
    expect(asked).toEqual([]);
  });
});
