// npm test: everything, from whatever state the machine is in. Needs Node >= 20 and npm, nothing
// else.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runChaosStage } from "./lib/chaos.mjs";
import { run as runProgram } from "./lib/command.mjs";
import { ensureDebianPackages, hasProgram } from "./lib/debian.mjs";
import { runShortlyOnFloor } from "./lib/floor.mjs";
import { ensureInstalled, projectNode } from "./lib/install.mjs";
import { root } from "./lib/paths.mjs";
import { cleanCommit, recordGreen } from "./lib/release/greenCommit.mjs";
import { StageRun, single, skipped } from "./lib/stage.mjs";
import { checkFormat, checkLint, checkTypes, runVitest } from "./lib/tools.mjs";

/** Where CI is set, this machine must be able to run every test. */
const isStrict = process.env.CI === "true";

const timed = async (work) => {
  const startMs = Date.now();
  const result = await work();
  return { ...result, seconds: (Date.now() - startMs) / 1000 };
};

/**
 * VS Code for the end-to-end tests; its installer is TypeScript, so it runs on the project's Node.
 */
async function prepareVsCode({ missing, reason }) {
  if (process.platform !== "linux")
    return { problem: "the VS Code server is set up on Linux only" };
  const lacking = ["chromium", "g++", "make", "python3"].filter((name) => missing.includes(name));
  if (lacking.length > 0) return { problem: `no ${lacking.join(", ")}: ${reason}` };
  const script = join(root, "test", "support", "vscode", "prepare.ts");
  const { code, output } = await runProgram(projectNode().node, [script, "--floor"], {
    quiet: true,
  });
  return code === 0 ? {} : { broken: output };
}

/**
 * Programs that npm does not have are fetched while the first stages run; see the table for its
 * time.
 */
function startPreparing() {
  const debian = timed(ensureDebianPackages);
  const vsCode = debian.then((programs) => timed(() => prepareVsCode(programs)));
  return { debian, vsCode };
}

async function runInstallers({ missing, reason }) {
  const counts = await runVitest("installers");
  if (missing.length === 0) return counts;
  const note = `these programs are missing: ${missing.join(", ")}: ${reason}`;
  return { ...counts, skipped: counts.skipped + 1, notes: [...counts.notes, note] };
}

/** PowerShell comes from NuGet by the .NET SDK, which no package of Debian has. */
async function runPowerShell() {
  if (hasProgram("dotnet")) return runVitest("powershell");
  return { ...skipped("there is no .NET SDK (dotnet) for a PowerShell"), dependsOnMachine: true };
}

async function runInVsCode({ problem, broken }, run) {
  if (problem) return skipped(problem);
  if (broken) throw new Error(`VS Code could not be installed:\n${broken}`);
  return run();
}

/** Everything packed as it is shipped: what the later stages test. */
async function buildBundles() {
  const script = join(root, "scripts", "package.mjs");
  if (!existsSync(script)) throw new Error("scripts/package.mjs is missing");
  return single((await runProgram(projectNode().node, [script, "--npm"])).code === 0);
}

/** Without npm packages nothing can be tested; that alone ends the run. */
async function install() {
  const startMs = Date.now();
  try {
    const outcome = await ensureInstalled();
    console.log(`npm packages: ${outcome}, ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
  } catch (error) {
    await run.stage("install", () => Promise.reject(error));
    return false;
  }
  const { warning } = projectNode();
  if (warning) console.log(warning);
  return true;
}

const run = new StageRun({ isStrict });

/** What takes most of the time in two lanes, each of which leaves half of two cores idle. */
async function runLong({ debian, vsCode }) {
  const apart = async () => {
    await run.stage("installers", async () => runInstallers(await debian));
    await run.stage("powershell", runPowerShell);
    const inVsCode = async (work) => runInVsCode(await vsCode, work);
    await run.stage("e2e", () => inVsCode(() => runVitest("e2e")));
    await run.stage("e2e on floor", () => inVsCode(runShortlyOnFloor));
  };
  await Promise.all([run.stage("integration", () => runVitest("integration")), apart()]);
}

async function runAll() {
  const preparing = startPreparing();
  await run.stage("format", checkFormat);
  await run.stage("lint", checkLint);
  await run.stage("types", checkTypes);
  await run.stage("bundles", buildBundles);
  await run.stage("unit", () => runVitest("unit"));
  const debian = await preparing.debian;
  // by itself: its faults are measured against the clock
  await run.stage("chaos", runChaosStage);
  await runLong(preparing);
  const vsCode = await preparing.vsCode;
  console.log(`\nin the background: Debian packages ${debian.seconds.toFixed(1)} s`);
  console.log(`in the background: VS Code ${vsCode.seconds.toFixed(1)} s`);
}

/** A release asks whether its commit passed everything: where nothing may be left out, and it is one. */
async function record(before) {
  if (!isStrict || before === undefined || before !== (await cleanCommit())) return;
  recordGreen(before);
}

const before = await cleanCommit();
if (await install()) await runAll();
const isGreen = run.finish();
if (isGreen) await record(before);
process.exitCode = isGreen ? 0 : 1;
