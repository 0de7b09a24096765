import { bareActivation } from "../support/vscode/bareActivation.ts";
import { ensureVsix } from "../support/vscode/vsix.ts";
import { firstRows } from "./firstRows.ts";
import { median, runBench } from "./harness.ts";
import { atMost, number } from "./report.ts";

const ROUNDS = 7;
/** What a window that starts may wait for the extension. */
const ACTIVATION_MS = 100;
/** From there to the rows of last time. */
const FIRST_ROWS_MS = 300;

// F-29: a window that starts hardly notices the extension. F-26: and it has rows at once.
await runBench(async ({ row }) => {
  await ensureVsix();
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await bareActivation());
  const load = median(rounds.map(({ loadMs }) => loadMs));
  const activate = median(rounds.map(({ activateMs }) => activateMs));
  const processor = median(rounds.map(({ processorMs }) => processorMs));
  row({
    what: "the extension is active: its code is loaded and activate has returned",
    figure: `${number(load + activate)} ms`,
    against: `the code ${number(load)} ms, activate ${number(activate)} ms; of a processor ${number(processor)} ms`,
    checks: [atMost(load + activate, ACTIVATION_MS, "ms")],
  });
  const first = [];
  for (let round = 0; round < ROUNDS; round += 1) first.push(await firstRows());
  const firstMs = median(first.map(({ ms }) => ms));
  row({
    what: "from activation to the rows of last time, of a server with 10,000 hosts that does not answer yet",
    figure: `${number(firstMs)} ms`,
    against: `${number(first[0]?.rows ?? 0)} rows; longest ${number(Math.max(...first.map(({ ms }) => ms)))} ms`,
    checks: [atMost(firstMs, FIRST_ROWS_MS, "ms")],
  });
});
