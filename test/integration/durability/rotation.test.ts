import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { type AgentFiles, respawnAgent, spawnAgent } from "../../support/agents/agent.ts";
import { isLetIn } from "../../support/agents/peerAgent.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { seededRandom } from "../../support/random.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOST = "host-1";
const ROUNDS = 3;
const BACK_MS = 15_000;

const secretIn = async ({ configFile }: AgentFiles): Promise<string> =>
  parseConfig(await readFile(configFile, "utf8"), configFile).credential.secret;

const rotate = ({ api }: SpawnedBackend, graceS: number) =>
  api.call("rotateCredential", { params: { authId: FLEET }, body: { grace_seconds: graceS } });

/** The host is connected, with the secret that its file holds, and that is one of its own. */
async function expectHostBack({ api, endpoint }: SpawnedBackend, agent: AgentFiles): Promise<void> {
  await eventually(async () => {
    const client = await api.call("getClient", { params: { clientId: HOST } });
    expect(client).toMatchObject({ connection_state: "connected", secret: { state: "active" } });
    const login = { url: endpoint.url, user: FLEET, password: await secretIn(agent) };
    expect(await isLetIn(login)).toBe(true);
  }, BACK_MS);
}

/** How far a rotation comes before something is killed. */
const MOMENTS: readonly [Moment, ...Moment[]] = [
  { name: "asked for", reached: async (rotation) => void rotation.catch(() => undefined) },
  { name: "answered", reached: async (rotation) => void (await rotation) },
  {
    name: "stored by the agent",
    reached: async (rotation, agent, before) => {
      await rotation;
      await eventually(async () => expect(await secretIn(agent)).not.toBe(before));
    },
  },
];

interface Moment {
  readonly name: string;
  reached(rotation: Promise<unknown>, agent: AgentFiles, before: string): Promise<void>;
}

it("S-32: kill -9 of the backend or of the agent during rotations strands no host", async () => {
  const random = seededRandom();
  await using temp = await tempDirectory();
  await using stack = new AsyncDisposableStack();
  let backend = stack.use(await spawnBackend(temp.path));
  const { port } = new URL(backend.endpoint.url);
  const first = await makeFleet(backend.api);
  let agent = stack.use(await spawnAgent(agentOf(backend.endpoint, first, HOST)));
  const told: string[] = [];
  try {
    await eventually(async () => {
      const [client] = await backend.api.call("listClients");
      expect(client).toBeDefined();
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const victim of ["backend", "agent"] as const) {
        const moment = random.pick(MOMENTS);
        // Without grace, an agent that is away at that moment is meant to be locked out.
        const graceS = victim === "agent" ? 3_600 : random.pick([0, 3_600]);
        told.push(`${victim}, ${moment.name}, grace ${graceS} s`);
        await moment.reached(rotate(backend, graceS), agent, await secretIn(agent));
        if (victim === "backend") {
          await backend.kill();
          backend = stack.use(await spawnBackend(temp.path, ["--port", port]));
        } else {
          agent.signal("SIGKILL");
          await agent.ended;
          agent = stack.use(respawnAgent(agent));
        }
        await expectHostBack(backend, agent);
      }
    }
    const last = await secretIn(agent);
    await rotate(backend, 0);
    await eventually(async () => {
      const secrets = await backend.api.call("listSecrets", { params: { authId: FLEET } });
      expect(secrets.filter(({ state }) => state !== "revoked")).toHaveLength(1);
    });
    await expectHostBack(backend, agent);
    for (const password of [first, last]) {
      expect(await isLetIn({ url: backend.endpoint.url, user: FLEET, password })).toBe(false);
    }
  } catch (caught) {
    const how = `with RPORT_TEST_SEED=${random.seed}: ${told.join("; ")}\n${agent.log()}`;
    throw new Error(how, { cause: caught });
  }
});
