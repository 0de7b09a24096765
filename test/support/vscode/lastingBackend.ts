import { type RunningBackend, type StartOptions, startBackend } from "../backend/backend.ts";
import { tempDirectory } from "../tempDirectory.ts";
import { openRport, type RportEditor } from "./rport.ts";
import type { CodeOptions } from "./server.ts";

/** A backend that outlives its processes, and an editor beside it. */
export interface LastingBackend {
  readonly backend: RunningBackend;
  readonly rport: RportEditor;
  /** Starts it again on its data, after the test has ended it. */
  again(options?: StartOptions): Promise<RunningBackend>;
}

/**
 * Starts a backend on a data directory that stays when its process ends, and an editor whose local backend it is.
 *
 * @param resources what is started goes with it
 */
export async function openLasting(
  resources: AsyncDisposableStack,
  options: CodeOptions = {},
): Promise<LastingBackend> {
  const { path: dataDir } = resources.use(await tempDirectory());
  let running = await startBackend({ dataDir });
  resources.defer(() => running[Symbol.asyncDispose]());
  const rport = resources.use(await openRport(dataDir, options));
  return {
    backend: running,
    rport,
    again: async (changes) => {
      running = await startBackend({ ...changes, dataDir });
      return running;
    },
  };
}
