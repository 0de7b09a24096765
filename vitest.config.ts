import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Tests start hundreds of backends and agents from their sources, and most of what a start costs is compiling those.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL("node_modules/.cache/compiled", import.meta.url),
);

/**
 * Each project is one kind of test; `npm test` runs them all, `npm run check` the first. The time
 * of a whole test is the last resort on a busy machine, and cannot tell what was waited for: what a
 * test waits for has a shorter one of its own, which can (`eventually`, `within` in
 * `test/support`).
 */
const project = (name: string, testTimeout: number, extra: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout,
    hookTimeout: testTimeout,
    ...extra,
  },
});

const POWERSHELL = "test/installers/powershell/**/*.test.ts";

export default defineConfig({
  test: {
    projects: [
      // on two cores, vitest would leave one of them to itself
      project("unit", 30_000, { maxWorkers: "100%" }),
      project("integration", 60_000, { pool: "forks" }),
      // they wait more than they work
      project("installers", 180_000, {
        pool: "forks",
        maxWorkers: 2,
        exclude: [POWERSHELL],
      }),
      // a stage of its own: not every machine can have a PowerShell
      project("powershell", 180_000, {
        pool: "forks",
        fileParallelism: false,
        include: [POWERSHELL],
      }),
      project("e2e", 180_000, {
        pool: "forks",
        fileParallelism: false,
        // a window on a loaded machine needs its time
        expect: { poll: { timeout: 20_000 } },
      }),
    ],
  },
});
