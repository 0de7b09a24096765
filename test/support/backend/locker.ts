/**
 * Takes the directory of its first argument, prints `locked`, and keeps it until it is killed. Exits
 * with the start failure's code when another process has it.
 */

import { systemClock } from "../../../backend/src/platform/clock.ts";
import { StartFailure } from "../../../backend/src/platform/startFailure.ts";
import { lockDirectory } from "../../../backend/src/store/files/lock.ts";

try {
  const lock = lockDirectory(process.argv[2] ?? "", systemClock);
  process.stdout.write("locked\n");
  setInterval(() => lock.release, 60_000);
} catch (caught) {
  process.exitCode = caught instanceof StartFailure ? caught.exitCode : 1;
}
