// The project's own tools, each as a stage: they run on the project's Node.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "./command.mjs";
import { projectNode } from "./install.mjs";
import { root } from "./paths.mjs";
import { single } from "./stage.mjs";

/** Entry files of the packages; the links in .bin are different things on Windows. */
const entries = {
  biome: "@biomejs/biome/bin/biome",
  tsc: "typescript/bin/tsc",
  vitest: "vitest/vitest.mjs",
};

const runTool = (name, args, env = {}) =>
  run(projectNode().node, [join(root, "node_modules", entries[name]), ...args], { env });

const asTest = async (running) => single((await running).code === 0);

/** Biome ignores NO_COLOR; what only informs is for the editor. */
const biome = (...off) =>
  asTest(
    runTool("biome", [
      ...["ci", "--diagnostic-level=warn", ...off],
      ...(process.stdout.isTTY ? [] : ["--colors=off"]),
    ]),
  );

/** Formatting and the order of imports. */
export const checkFormat = () => biome("--linter-enabled=false");

/** Lint rules. */
export const checkLint = () => biome("--formatter-enabled=false", "--assist-enabled=false");

/** Types of all projects. */
export const checkTypes = () => asTest(runTool("tsc", ["-b"]));

const countBroken = (report) =>
  report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(isFailed),
  ).length;

const isFailed = (test) => test.status === "failed";
const isSkipped = (test) => !["passed", "failed"].includes(test.status);

function skippedNames(report) {
  return report.testResults.flatMap((file) =>
    file.assertionResults
      .filter(isSkipped)
      .map((test) => `skipped: ${relative(root, file.name)}: ${test.fullName.trim()}`),
  );
}

/**
 * Counts of a vitest report. A file that could not run is one failure, and so is a run that went
 * wrong without naming a test (an error outside of any).
 */
export function countsOf(report, exitCode) {
  const named = report.numFailedTests + countBroken(report);
  const notes = skippedNames(report);
  return {
    passed: report.numPassedTests,
    failed: exitCode !== 0 && named === 0 ? 1 : named,
    skipped: notes.length,
    notes,
  };
}

/**
 * Runs one vitest project and counts its tests.
 *
 * @param {string} project
 * @param {{ files?: readonly string[], env?: Record<string, string> }} options all files unless some are
 *   named
 */
export async function runVitest(project, { files = [], env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "rport-report-"));
  try {
    const file = join(folder, "report.json");
    const reports = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const chosen = ["--project", project, "--passWithNoTests", ...files];
    const { code } = await runTool("vitest", ["run", ...chosen, ...reports], env);
    if (!existsSync(file)) return single(false);
    return countsOf(JSON.parse(readFileSync(file, "utf8")), code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
