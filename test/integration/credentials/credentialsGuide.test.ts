import { CLOSE_CODES } from "@rport/protocol/errors";
import { ADMINISTRATORS } from "@rport/protocol/people/right";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../backend/src/platform/clock.ts";
import { startAgent } from "../../support/agents/agent.ts";
import { isLetIn, PeerAgent } from "../../support/agents/peerAgent.ts";
import { TestApi } from "../../support/backend/api.ts";
import { type RunningBackend, startBackend } from "../../support/backend/backend.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { PASSWORD, signIn } from "../../support/backend/person.ts";
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

/** A new administrator; answers with the token of their editor on that computer. */
async function signedIn({ api }: RunningBackend, name: string, computer: string): Promise<string> {
  await api("createUser", {
    body: { username: name, password: PASSWORD, groups: [ADMINISTRATORS] },
  });
  const body = { name: computer, scope: "read+write" as const };
  const { token } = await api("createUserToken", { params: { userName: name }, body });
  return token;
}

async function statusWith({ url }: RunningBackend, token: string): Promise<number> {
  return (await new TestApi(url, token).raw("GET", "/me")).status;
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
    expect(guide.count(stolen)).toBe(8);
  });

  it(`"${stolen}": an editor that was signed in there is signed out, and no other one`, async () => {
    await using backend = await startBackend();
    const guide = await guideFor(backend);
    const lost = await signedIn(backend, "anna", LAPTOP);
    const { token } = await backend.api("createUserToken", {
      params: { userName: "anna" },
      body: { name: "workstation", scope: "read+write" },
    });
    const session = await signIn(backend, "anna", PASSWORD);
    using events = backend.events(lost);
    await events.snapshot();

    await guide.run(stolen, 8);
    expect(await events.closed).toBe(CLOSE_CODES.unauthorized);
    expect(await statusWith(backend, lost)).toBe(401);
    expect(await statusWith(backend, session)).toBe(401);
    expect(await statusWith(backend, token)).toBe(200);
  });

  const leaves = "An administrator leaves";
  it(`S-21: "${leaves}": what they knew opens nothing any more, and nobody else notices`, async () => {
    await using backend = await startBackend();
    await using stack = new AsyncDisposableStack();
    const guide = await guideFor(backend);
    const others = await signedIn(backend, "root", "workstation");
    const anna = new TestApi(backend.url, await signedIn(backend, "anna", "notebook"));
    const password = await makeFleet(anna);
    const typed = "known-to-the-one-who-leaves";
    await anna.call("addSecret", { params, body: { password: typed } });
    const unknown = { authId: "not-theirs" };
    await backend.api("createCredential", { body: { id: unknown.authId } });
    const { pairing } = await anna.call("createPairing", { body: { credential_id: FLEET } });
    const agent = stack.use(await startAgent(agentOf(backend, password, "web-01")));
    await agent.online();

    const [would, did] = (await guide.run(leaves, 1)).split(/(?<=^})$/m).map((text) => {
      return text.trim() === "" ? undefined : JSON.parse(text);
    });
    expect(would).toMatchObject({ tokens: 1, pairings: 1 });
    expect(did).toEqual(would);
    expect((await anna.raw("GET", "/me")).status).toBe(401);
    expect(await statusWith(backend, others)).toBe(200);
    const pairings = await backend.api("listPairings");
    expect(pairings).toMatchObject([{ id: pairing.id, state: "revoked" }]);
    const known = lines(await guide.run(leaves, 2));
    expect(known).toMatchObject([
      { auth_id: FLEET, known_by: "shown" },
      { auth_id: FLEET, known_by: "typed" },
    ]);

    expect(lines(await guide.run(leaves, 3))).toMatchObject([{ id: FLEET, total: 1 }]);
    expect((await backend.api("getRotation", { params })).rotation).toBeNull();
    expect(lines(await guide.run(leaves, 4))).toHaveLength(1);
    expect((await backend.api("getRotation", { params: unknown })).rotation).toBeNull();
    await allMoved(backend, 1);
    expect(lines(await guide.run(leaves, 5))).toHaveLength(1);
    expect((await guide.run(leaves, 6)).trim().split("\n").at(-1)).toBe("0");
    await agent.online();
    for (const secret of [password, typed]) {
      expect(await isLetIn({ url: backend.url, user: FLEET, password: secret })).toBe(false);
    }
    expect((await guide.run(leaves, 7)).match(/not-theirs/g)).toHaveLength(2);
    expect((await backend.api("listCredentials")).map(({ id }) => id)).toEqual([FLEET]);
    expect(agent.agent.state.kind).toBe("online");
    expect(guide.count(leaves)).toBe(7);
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
