import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import { describe, expect, it, vi } from "vitest";
import type { OfferedSecret } from "../../../../../backend/src/credentials/ports.ts";
import type { Edit } from "../../../../../backend/src/store/edits/edit.ts";
import type { CredentialsFixture } from "../../../../support/backend/credentials.ts";
import { authId, openCredentials } from "../../../../support/backend/credentials.ts";
import { FakeAgent } from "../../../../support/backend/sessions.ts";
import { eventually } from "../../../../support/eventually.ts";

const FLEET: AuthId = authId("fleet");
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

async function connectedHost({ credentials, clients }: CredentialsFixture) {
  const { password } = await credentials.create({ id: FLEET, createdBy: "test" });
  const agent = new FakeAgent("a", FLEET, password);
  return { agent, session: await clients.connect(credentials, agent) };
}

/** The agent can store nothing any more. */
function refuseOffers(agent: FakeAgent) {
  const offers = vi.fn((_agent: FakeAgent, _offer: OfferedSecret) => Promise.resolve(false));
  agent.onOffer = offers;
  return offers;
}

describe("an agent that cannot store what it is offered", () => {
  it("F-15: keeps the secret it stands on, whose use a full disk did not take down", async () => {
    await using fixture = await openCredentials();
    const { credentials, clients, clock, edits } = fixture;
    const { agent, session } = await connectedHost(fixture);
    const isDone = (edit: Edit) => edit.kind === "shifted" && edit.to.state === "done";
    const empty = edits.refuse(new RportError("DISK_FULL", "no space left"), isDone);
    await credentials.rotations.start(FLEET, HOUR_MS);
    await eventually(() => expect(credentials.get(FLEET)?.rotation?.moved).toBe(1));
    await eventually(() => expect(fixture.logLines.join("")).toContain("could not be moved"));
    empty();
    const offers = refuseOffers(agent);
    await credentials.rotations.start(FLEET, HOUR_MS);
    for (let round = 1; round <= 4; round += 1) {
      await eventually(() => expect(offers).toHaveBeenCalledTimes(round));
      await eventually(() => expect(credentials.get(FLEET)?.rotation?.stragglers).toBe(1));
      expect(credentials.clientSecret(FLEET, session.secretId)?.state).toBe("grace");
      clock.advance(MINUTE_MS);
    }
    session.cut("broken line");
    await clients.connect(credentials, agent);
  });

  it("is asked once a minute, however many rotations it failed in, until the server stops", async () => {
    await using fixture = await openCredentials();
    const { credentials, clock } = fixture;
    const { agent } = await connectedHost(fixture);
    const offers = refuseOffers(agent);
    const failed = async (times: number) => {
      await eventually(() => expect(offers).toHaveBeenCalledTimes(times));
      await eventually(() => expect(credentials.get(FLEET)?.rotation?.stragglers).toBe(1));
    };
    await credentials.rotations.start(FLEET, HOUR_MS);
    await failed(1);
    clock.advance(MINUTE_MS);
    await failed(2);
    const { timers } = clock;
    for (const round of [3, 4]) {
      await credentials.rotations.start(FLEET, HOUR_MS);
      await failed(round);
    }
    expect(clock.timers).toBe(timers);
    await credentials.close();
    clock.advance(MINUTE_MS);
    await credentials.rotations.previewStart(FLEET, undefined);
    expect(offers).toHaveBeenCalledTimes(4);
  });
});

describe("a host that confirms its new secret while the rotation is being finished", () => {
  it("is neither cut nor named among those who were", async () => {
    await using fixture = await openCredentials();
    const { credentials } = fixture;
    const { agent, session } = await connectedHost(fixture);
    const { secretId: first } = session;
    const [offered, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()];
    agent.onOffer = (self, { secret }) => {
      self.password = secret;
      offered.resolve();
      return answer.promise;
    };
    await credentials.rotations.start(FLEET, HOUR_MS);
    await offered.promise;
    const isEnd = (edit: Edit) => edit.kind === "rotation" && edit.row.ended_at !== null;
    const end = fixture.edits.hold(isEnd);
    const finished = credentials.rotations.finish(FLEET);
    await end.arrived;
    answer.resolve(true);
    await eventually(() => expect(session.secretId).not.toBe(first));
    end.goOn();
    expect(await finished).toMatchObject({ clients: [], disconnected: 0 });
    expect(session.cutReason).toBeUndefined();
  });
});
