import { setTimeout as sleep } from "node:timers/promises";
import { BenchBackend } from "./backend.ts";
import type { CrowdHandlers } from "./editorCrowd.ts";
import { runBench } from "./harness.ts";
import { Program } from "./program.ts";
import { atMost, number } from "./report.ts";

const HOSTS = 10_000;
const HOST_BYTES = 1_500;
const EDITORS = 200;
const STALL_MS = 100;
/** What others on this machine make it wait for, nobody being there, is measured for so long. */
const REST_MS = 5_000;
const MESSAGE_MB = 1.049;

// F-04: editors that come back together after a restart stop nobody.
await runBench(async ({ scope, row, note }) => {
  const records = { count: HOSTS, bytes: HOST_BYTES };
  const backend = scope.use(await BenchBackend.start(records));
  const crowd = scope.use(await Program.script<CrowdHandlers>("editorCrowd.ts"));
  await backend.stall();
  await sleep(REST_MS);
  const restMs = await backend.stall();
  const { url, token } = backend;
  const end = await crowd.ask("arrive", { url, token, count: EDITORS });
  const stallMs = await backend.stall();
  row({
    what: `${number(EDITORS)} editors come at once to ${number(HOSTS)} hosts: longest stop of the event loop`,
    figure: `${number(stallMs)} ms`,
    against: `at rest ${number(restMs)} ms; the last one has all ${number(end.bytes / 1e6)} MB after ${number(end.lastMs / 1_000)} s`,
    checks: [atMost(stallMs, STALL_MS, "ms")],
  });
  row({
    what: "largest message that they are sent",
    figure: `${number(end.largestBytes / 1e6)} MB`,
    checks: [atMost(end.largestBytes / 1e6, MESSAGE_MB, "MB")],
  });
  note(
    "Editors share one process and one processor core, so their own reading is most of the time.",
  );
});
