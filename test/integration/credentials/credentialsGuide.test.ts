import { describe, expect, it } from "vitest";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { isLetIn, PeerAgent } from "../../support/agents/peerAgent.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { Guide } from "../../support/guide.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const LAPTOP = "lost-laptop";
const params = { authId: FLEET };
const YEAR_MS = 365 * 86_400_000;

function guideFor({ dataDir }: RunningBackend): Promise<Guide> {
  return Guide.read("credentials.md", { "/var/lib/rport-backend": dataDir });
}

/** One JSON value per line, as `jq -c` prints them. */
function lines(output: string): unknown[] {
  return output.trim() === ""
    ? []
    : output
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
}

async function allMoved({ api }: RunningBackend, total: number): Promise<void> {
  await eventually(async () => {
    const { rotation, clients } = await api("getRotation", { params });
    const moved = clients.filter(({ state }) => state === "done").length;
    expect(rotation === null ? total : moved).toBe(total);
  });
}

describe("docs/credentials.md, followed as it is written", () => {
  const stolen = "A laptop is stolen";
  it(`"${stolen}": the host stays out, also with the password it shared`, async () => {
    await using backend = await startBackend();
    await using stack = new AsyncDisposableStack();
    const guide = await guideFor(backend);
    const password = await makeFleet({ call: backend.api });
    const laptop = stack.use(await startAgent(agentOf(backend, password, LAPTOP)));
    const other = stack.use(await startAgent(agentOf(backend, password, "web-01")));
    await Promise.all([laptop.online(), other.online()]);

    const preview = JSON.parse(await guide.run(stolen, 1).then(firstOf));
    expect(preview).toMatchObject({ clients: [{ id: LAPTOP, connected: true }], disconnected: 1 });
    await laptop.until(({ kind }) => kind !== "online");
    expect(await backend.api("getClient", { params: { clientId: LAPTOP } })).toMatchObject({
      connection_state: "disconnected",
      revoked_at: expect.any(String),
    });

    expect(JSON.parse(await guide.run(stolen, 2))).toMatchObject({ origin: "initial" });
    await guide.run(stolen, 3);
    await allMoved(backend, 1);
    // Nobody waits for the laptop: it is revoked. It may be knocking at that moment all the same.
    const left = JSON.parse(await guide.run(stolen, 4));
    expect(left.clients).toMatchObject([{ id: LAPTOP }]);
    expect(await isLetIn({ url: backend.url, user: FLEET, password })).toBe(false);
    await eventually(async () => {
      const tries = await guide.run(stolen, 5);
      expect(tries).toMatch(/"reason": "revoked-/);
      expect(tries).toContain('"address": "127.0.0.1"');
    }, 15_000);
    const history = lines(await guide.run(stolen, 6)).map((row) => Object(row).action);
    expect(history).toContain("connect");
    expect(other.agent.state.kind).toBe("online");
    await guide.run(stolen, 7);
    expect(await backend.api("getClient", { params: { clientId: LAPTOP } })).toMatchObject({
      revoked_at: null,
    });
    expect(guide.count(stolen)).toBe(7);
  });

  const leaves = "An administrator leaves";
  it(`"${leaves}": what they knew opens nothing any more`, async () => {
    await using directory = await tempDirectory();
    const dataDir = directory.path;
    let token: string;
    let password: string;
    {
      await using before = await startBackend({ dataDir });
      token = before.token;
      password = await makeFleet({ call: before.api });
      await before.api("addSecret", { params, body: { password: "known-to-the-one-who-leaves" } });
      await before.api("createCredential", { body: { id: "never-used" } });
    }
    await using backend = await startBackend({ dataDir });
    await using stack = new AsyncDisposableStack();
    const guide = await guideFor(backend);
    const reply = await fetch(`${backend.url}/api/v1/clients`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    expect(reply.status).toBe(401);

    const agent = stack.use(await startAgent(agentOf(backend, password, "web-01")));
    await agent.online();
    const { pairing } = await backend.api("createPairing", { body: { credential_id: FLEET } });
    await guide.run(leaves, 1);
    const pairings = await backend.api("listPairings");
    expect(pairings).toMatchObject([{ id: pairing.id, state: "revoked" }]);
    const known = lines(await guide.run(leaves, 2)).map((row) => Object(row).application);
    expect(known).toEqual(["client.auth", "client.auth", "client.auth.secret"]);

    await guide.run(leaves, 3);
    await agent.online();
    for (const secret of [password, "known-to-the-one-who-leaves"]) {
      expect(await isLetIn({ url: backend.url, user: FLEET, password: secret })).toBe(false);
    }
    expect((await guide.run(leaves, 4)).match(/never-used/g)).toHaveLength(2);
    expect((await backend.api("listCredentials")).map(({ id }) => id)).toEqual([FLEET]);
    expect(agent.agent.state.kind).toBe("online");
    expect(guide.count(leaves)).toBe(4);
  });

  const yearly = "The yearly rotation";
  it(`"${yearly}": everybody has moved or is named, and nobody was cut`, async () => {
    await using directory = await tempDirectory();
    const dataDir = directory.path;
    let password: string;
    {
      const now = () => systemClock.now() - YEAR_MS;
      await using lastYear = await startBackend({ dataDir, clock: { ...systemClock, now } });
      password = await makeFleet({ call: lastYear.api });
    }
    await using backend = await startBackend({ dataDir });
    await using stack = new AsyncDisposableStack();
    const guide = await guideFor(backend);
    await backend.api("createCredential", { body: { id: "made-today" } });
    const agent = stack.use(await startAgent(agentOf(backend, password, "web-01")));
    await agent.online();
    const url = backend.url.replace(/^http/, "ws");
    const go = stack.use(await PeerAgent.join({ url, user: FLEET, password }));

    expect(lines(await guide.run(yearly, 1))).toEqual(
      expect.arrayContaining([{ id: FLEET, total: 2, stragglers: 1, unmovable: ["machine-1"] }]),
    );
    expect((await backend.api("getRotation", { params })).rotation).toBeNull();
    await guide.run(yearly, 2);
    await allMoved(backend, 1);
    const left = lines(await guide.run(yearly, 3));
    expect(left).toMatchObject([
      { id: "machine-1", state: "straggler", reason: expect.any(String) },
    ]);
    const untouched = await backend.api("getCredential", { params: { authId: "made-today" } });
    expect(untouched.rotation).toBeNull();
    expect(agent.agent.state.kind).toBe("online");
    expect(go.connection.transport.isClosed).toBe(false);
    expect(guide.count(yearly)).toBe(3);
  });
});

/** The first of the JSON values that `jq` printed one below the other. */
function firstOf(output: string): string {
  return output.slice(0, output.indexOf("\n}\n") + 2);
}
