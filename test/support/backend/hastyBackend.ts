import { type Clock, systemClock } from "../../../backend/src/platform/clock.ts";
import { startBackend } from "./backend.ts";
import { makeFleet } from "./fleet.ts";

// A server for which time passes faster by the factor of its first argument. Prints one line of
// JSON when it is ready, and lives until it is killed.

/** What it prints. */
export interface HastyBackend {
  readonly url: string;
  /** Of the credential `fleet`. */
  readonly password: string;
}

function hastyClock(factor: number): Clock {
  const started = systemClock.now();
  return {
    now: () => started + (systemClock.now() - started) * factor,
    monotonic: () => systemClock.monotonic() * factor,
    after: (ms, run) => systemClock.after(ms / factor, run),
  };
}

const backend = await startBackend({ clock: hastyClock(Number(process.argv[2])) });
const password = await makeFleet({ call: backend.api });
const told: HastyBackend = { url: backend.url, password };
process.stdout.write(`${JSON.stringify(told)}\n`);
