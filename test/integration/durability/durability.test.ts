import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseDocument } from "../../../backend/src/store/document/documentText.ts";
import { CredentialLoad } from "../../support/backend/credentialLoad.ts";
import { lossesOf } from "../../support/backend/credentialLosses.ts";
import { makeNetworkKnown } from "../../support/backend/knownNetwork.ts";
import { type SpawnedBackend, spawnBackend } from "../../support/backend/spawnBackend.ts";
import { eventually } from "../../support/eventually.ts";
import { seededRandom } from "../../support/random.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

const CHANGES = 1_000;
const ROUNDS = 4;
const WORKERS = 24;
const LOGINS_PER_ROUND = 12;
/** A start that takes longer than this, with everything that was written, hangs. */
const START_MS = 15_000;

/** Everything that was answered has to be true on this server. */
async function compare({ api, endpoint }: SpawnedBackend, load: CredentialLoad): Promise<void> {
  const server = { api, url: endpoint.url };
  expect(await lossesOf(server, load, LOGINS_PER_ROUND)).toEqual([]);
}

it("D-01: kill -9 during 1,000 changes of credentials loses none that was answered, and the file is whole", async () => {
  const random = seededRandom();
  const load = new CredentialLoad(random);
  await using temp = await tempDirectory();
  const starts: number[] = [];
  const start = async (): Promise<SpawnedBackend> => {
    const began = performance.now();
    const backend = await spawnBackend(temp.path);
    starts.push(performance.now() - began);
    return backend;
  };
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      await using backend = await start();
      const server = { api: backend.api, url: backend.endpoint.url };
      if (round === 1) await makeNetworkKnown(server);
      await compare(backend, load);
      const goal = (CHANGES / ROUNDS) * round + random.below(40);
      await changeUntilKilled(backend, load, goal);
      await expectWholeFile(temp.path);
    }
    await using backend = await start();
    await compare(backend, load);
    expect(load.answered).toBeGreaterThanOrEqual(CHANGES);
    // The backend may be in the middle of a write of its own.
    await eventually(async () => {
      const names = await readdir(temp.path);
      expect(names).not.toContainEqual(expect.stringMatching(/\.\d{2,}$|\.new$/));
    });
  } catch (caught) {
    throw new Error(`with RPORT_TEST_SEED=${random.seed}`, { cause: caught });
  }
  expect(Math.min(...starts.slice(1))).toBeLessThan(START_MS);
});

/** Lets the load run until the server has answered `goal` changes, and kills it in the middle. */
async function changeUntilKilled(
  backend: SpawnedBackend,
  load: CredentialLoad,
  goal: number,
): Promise<void> {
  const stop = new AbortController();
  const running = load.run(backend.api, WORKERS, stop.signal);
  const isDone = expect.poll(() => load.answered, { interval: 1, timeout: 20_000 });
  await isDone.toBeGreaterThanOrEqual(goal);
  await backend.kill();
  stop.abort();
  await running;
}

async function expectWholeFile(directory: string): Promise<void> {
  const text = await readFile(join(directory, "rport.json"), "utf8");
  expect(parseDocument(text)).toMatchObject({ kind: "read" });
}
