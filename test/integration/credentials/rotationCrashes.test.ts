import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../agent/src/config/config.ts";
import { respawnAgent, type SpawnedAgent, spawnAgent } from "../../support/agents/agent.ts";
import { isLetIn } from "../../support/agents/peerAgent.ts";
import { agentOf, FLEET, makeFleet } from "../../support/backend/fleet.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { type Gate, openGate } from "../../support/faults/gate.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const HOST = "host-1";
const BACK_MS = 20_000;
const params = { authId: FLEET };

/** Two real processes on one host, and the way between them. */
interface Scene {
  backend: SpawnedBackend;
  agent: SpawnedAgent;
  readonly gate: Gate;
  readonly first: string;
  /** The data directory. */
  readonly path: string;
}

/** How far a rotation is when somebody pulls the plug; resolves right then. */
type Moment = (scene: Scene, kill: () => void) => Promise<void>;

const secretIn = async ({ configFile }: SpawnedAgent): Promise<string> =>
  parseConfig(await readFile(configFile, "utf8"), configFile).credential.secret;

const rotate = ({ backend }: Scene) =>
  backend.api.call("rotateCredential", { params, body: { grace_seconds: null } });

async function isState({ backend }: Scene, state: string): Promise<void> {
  await eventually(async () => {
    const { clients } = await backend.api.call("getRotation", { params });
    expect(clients).toMatchObject([{ id: HOST, state }]);
  }, BACK_MS);
}

async function isStored(scene: Scene): Promise<void> {
  await eventually(async () => expect(await secretIn(scene.agent)).not.toBe(scene.first), BACK_MS);
}

async function isOver({ backend }: Scene): Promise<void> {
  await eventually(async () => {
    const { rotation } = await backend.api.call("getRotation", { params });
    expect(rotation).toBeNull();
  }, BACK_MS);
}

/** The secret is minted and was sent, and the agent does not have it. */
const offered: Moment = async (scene, kill) => {
  const held = scene.gate.hold("toAgent");
  await rotate(scene);
  await Promise.all([held, isState(scene, "offered")]);
  expect(await secretIn(scene.agent)).toBe(scene.first);
  kill();
};
/** The agent has it on its disk, and its answer has not arrived. */
const stored: Moment = async (scene, kill) => {
  const held = scene.gate.hold("toServer");
  await rotate(scene);
  await Promise.all([held, isStored(scene)]);
  await isState(scene, "offered");
  kill();
};
/** The answer has left for the server at this very moment. */
const acknowledged: Moment = async (scene, kill) => {
  const answered = Promise.withResolvers<void>();
  const { gate } = scene;
  gate.after("toAgent", () => {
    gate.after("toServer", () => {
      kill();
      answered.resolve();
    });
  });
  await rotate(scene).catch(() => undefined);
  await answered.promise;
};
const done: Moment = async (scene, kill) => {
  await rotate(scene);
  await isOver(scene);
  kill();
};
/** The end is asked for, and not answered yet. */
const finishing: Moment = async (scene, kill) => {
  await offered(scene, () => undefined);
  scene.gate.release();
  const finish = scene.backend.api.call("finishRotation", { params }).catch(() => undefined);
  kill();
  await finish;
};
const cancelling: Moment = async (scene, kill) => {
  await stored(scene, () => undefined);
  const cancel = scene.backend.api.call("cancelRotation", { params }).catch(() => undefined);
  kill();
  await cancel;
};
const cancelled: Moment = async (scene, kill) => {
  await stored(scene, () => undefined);
  await scene.backend.api.call("cancelRotation", { params });
  kill();
};

const ALL = ["backend", "agent", "both"] as const;
const MOMENTS: readonly [string, Moment, readonly Victim[]][] = [
  ["its offer never arrived", offered, ALL],
  ["it was stored and the answer lost", stored, ALL],
  ["the answer is on its way", acknowledged, ["backend", "agent"]],
  ["the client has moved", done, ["both"]],
  ["it is being taken back", cancelling, ["backend"]],
  ["it was taken back", cancelled, ["both"]],
];

async function openScene(path: string, stack: AsyncDisposableStack): Promise<Scene> {
  const backend = stack.use(await spawnBackend(path));
  const first = await makeFleet(backend.api);
  const gate = stack.use(await openGate(Number(new URL(backend.endpoint.url).port)));
  const settings = agentOf({ ...backend.endpoint, url: gate.url }, first, HOST);
  const agent = stack.use(await spawnAgent(settings));
  const scene = { backend, agent, gate, first, path };
  await eventually(() => isConnected(scene), BACK_MS);
  return scene;
}

async function isConnected({ backend }: Scene): Promise<void> {
  const client = await backend.api.call("getClient", { params: { clientId: HOST } });
  expect(client.connection_state).toBe("connected");
}

async function restart(scene: Scene, victim: Victim, stack: AsyncDisposableStack): Promise<void> {
  const { gate, path } = scene;
  if (victim !== "agent") {
    await scene.backend.ended;
    scene.backend = stack.use(await spawnBackend(path));
    gate.leadTo(Number(new URL(scene.backend.endpoint.url).port));
  }
  if (victim !== "backend") {
    await scene.agent.ended;
    scene.agent = stack.use(respawnAgent(scene.agent));
  }
  gate.release();
}

type Victim = "backend" | "agent" | "both";

/** The host is connected with what its file holds. */
async function isBack(scene: Scene): Promise<void> {
  await eventually(async () => {
    await isConnected(scene);
    const { url } = scene.backend.endpoint;
    expect(await isLetIn({ url, user: FLEET, password: await secretIn(scene.agent) })).toBe(true);
  }, BACK_MS);
}

const CASES = MOMENTS.flatMap(([when, moment, victims]) =>
  victims.map((victim) => ({ when, moment, victim })),
);

describe("S-32: kill -9 of real processes during a rotation", () => {
  it.each(CASES)(
    "$victim, when $when: nobody is stranded, the old secret stops in the end",
    async ({ moment, victim }) => {
      await using temp = await tempDirectory();
      await using stack = new AsyncDisposableStack();
      const scene = await openScene(temp.path, stack);
      await moment(scene, () => {
        if (victim !== "agent") scene.backend.signal("SIGKILL");
        if (victim !== "backend") scene.agent.signal("SIGKILL");
      });
      await restart(scene, victim, stack);
      await isBack(scene);

      // Whatever the crash left of the rotation, the next one moves the host and ends the old
      // secret.
      await rotate(scene);
      await isOver(scene);
      await isBack(scene);
      expect(await secretIn(scene.agent)).not.toBe(scene.first);
      const { url } = scene.backend.endpoint;
      expect(await isLetIn({ url, user: FLEET, password: scene.first })).toBe(false);
    },
    90_000,
  );

  it("of the backend while a rotation is finished: the host that has not moved is either in or out, and a fresh secret lets it in", async () => {
    await using temp = await tempDirectory();
    await using stack = new AsyncDisposableStack();
    const scene = await openScene(temp.path, stack);
    await finishing(scene, () => scene.backend.signal("SIGKILL"));
    await restart(scene, "backend", stack);
    const { api, endpoint } = scene.backend;
    const { rotation } = await api.call("getRotation", { params });
    const password = await secretIn(scene.agent);
    const isIn = await isLetIn({ url: endpoint.url, user: FLEET, password });
    const isUnderWay = rotation !== null;
    expect(isIn || !isUnderWay).toBe(true);
    const fresh = await api.call("addSecret", { params, body: {} });
    const login = { url: endpoint.url, user: FLEET, password: fresh.password };
    expect(await isLetIn(login)).toBe(true);
  }, 90_000);
});
