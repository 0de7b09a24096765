// The end-to-end tests on the oldest VS Code that the extension runs in.
import { join } from "node:path";
import { root } from "./paths.mjs";
import { runVitest } from "./tools.mjs";

/**
 * What `npm test` runs there, in a minute: one file for each kind of thing that the editor's API does for
 * the extension. `npm run test:floor` runs all.
 */
const IN_SHORT = ["awake", "rowsMeant", "tunnelOpening", "sheetTruth", "languageTools"];

/** Runs the end-to-end tests of these files, or of all, on the oldest VS Code. */
export const runOnFloor = (files = []) =>
  runVitest("e2e", { files, env: { RPORT_TEST_CODE_SERVER: "floor" } });

/** See `IN_SHORT`. */
export const runShortlyOnFloor = () =>
  runOnFloor(IN_SHORT.map((name) => join(root, "test", "e2e", `${name}.test.ts`)));
