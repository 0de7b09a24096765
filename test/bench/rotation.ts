import { readFile } from "node:fs/promises";
import { BenchAgent, SOURCES } from "./agents.ts";
import { BenchBackend, type Login } from "./backend.ts";
import { sharedNowMs } from "./childPort.ts";
import { readEvents } from "./eventReader.ts";
import { pause, runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";
import type { SwarmHandlers } from "./swarm.ts";

const AGENTS = 1_000;
const PARALLEL = 16;
const LIMIT_S = 10;
const TIMEOUT_MS = 60_000;
const LOOK_MS = 20;
const GRACE_S = 3_600;

// F-22: a rotation moves all live agents within seconds and strands none.
await runBench(async ({ scope, row }) => {
  const backend = scope.use(await BenchBackend.start());
  const swarm = scope.use(await Program.script<SwarmHandlers>("swarm.ts"));
  const login = await backend.createLogin("bench-rotation");
  const target = { server: backend.agentUrl, fingerprint: backend.fingerprint, ...login };
  await swarm.ask("add", { ...target, from: 0, count: AGENTS, parallel: PARALLEL });
  const agent = { login, clientId: "real-agent" };
  const real = scope.use(await BenchAgent.start(SOURCES, backend, agent));
  scope.use(await readEvents(backend));
  const connectedAt = await connectedSince(backend, real);

  const startMs = sharedNowMs();
  await backend.api("rotateCredential", {
    params: { authId: login.authId },
    body: { grace_seconds: GRACE_S },
  });
  const answerS = (sharedNowMs() - startMs) / 1_000;
  const movedS = (await allMovedMs(backend, login)) - startMs;
  const state = await swarm.ask("state");
  const isSame = (await connectedSince(backend, real)) === connectedAt;
  const isStored = !(await readFile(real.configFile, "utf8")).includes(login.secret);
  const disconnects = state.lost + (isSame ? 0 : 1);

  row({
    what: `a credential with ${number(AGENTS)} live agents is rotated: all moved`,
    figure: `${number(movedS / 1_000)} s`,
    against: `answer after ${number(answerS)} s`,
    checks: [atMost(movedS / 1_000, LIMIT_S, "s")],
  });
  row({
    what: "disconnects meanwhile",
    figure: String(disconnects),
    checks: [atMost(disconnects, 0, "disconnects")],
  });
  row({
    what: "agents that hold their new secret, one real agent's file among them",
    figure: `${number(state.rotated + (isStored ? 1 : 0))} of ${number(AGENTS + 1)}`,
    checks: [atMost(AGENTS - state.rotated + (isStored ? 0 : 1), 0, "agents without")],
  });
});

async function connectedSince(backend: BenchBackend, agent: BenchAgent): Promise<string | null> {
  const client = await backend.api("getClient", { params: { clientId: agent.clientId } });
  return client.connected_at;
}

/** When the backend counts every client as moved; the shared secret itself stays in grace. */
async function allMovedMs(backend: BenchBackend, { authId }: Login): Promise<number> {
  const endMs = sharedNowMs() + TIMEOUT_MS;
  for (;;) {
    const { rotation } = await backend.api("getCredential", { params: { authId } });
    if (rotation === null || rotation.moved === rotation.total) return sharedNowMs();
    if (sharedNowMs() > endMs) throw new Error(`moved ${rotation.moved} of ${rotation.total}`);
    await pause(LOOK_MS);
  }
}
