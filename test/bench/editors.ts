import { setTimeout as sleep } from "node:timers/promises";
import { BenchBackend } from "./backend.ts";
import type { CrowdHandlers } from "./editorCrowd.ts";
import { costOfEvents } from "./eventGroups.ts";
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
const GROUPS = 5;
const GROUPS_TIMES = 2;

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
  const order = { clients: HOSTS, watchers: EDITORS, deltas: 200, changes: 100 };
  await costOfEvents({ ...order, groups: 1, deltas: 20 });
  const ofOneMs = await costOfEvents({ ...order, groups: 1 });
  const ofFiveMs = await costOfEvents({ ...order, groups: GROUPS });
  row({
    what: `${number(EDITORS)} editors of ${GROUPS} groups of users are told of ${number(order.deltas * order.changes)} changes: processor time against one group`,
    figure: `${(ofFiveMs / ofOneMs).toFixed(2)} x`,
    against: `${number(ofFiveMs)} ms against ${number(ofOneMs)} ms`,
    checks: [atMost(ofFiveMs / ofOneMs, GROUPS_TIMES, "x")],
  });
  note(
    "Editors share one process and one processor core, so their own reading is most of the time.",
  );
});
