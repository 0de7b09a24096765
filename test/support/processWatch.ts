import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** What every user of the machine, or root, may read of a process. */
export interface SeenProcess {
  readonly commandLine: string;
  readonly environment: string;
}

/** Looks at all processes that start from now on, as often as it can, until it is stopped. */
export async function watchProcesses(): Promise<{ stop(): Promise<readonly SeenProcess[]> }> {
  const old = new Set(await processIds());
  const seen = new Map<string, SeenProcess>();
  let isStopped = false;
  const look = async (id: string): Promise<void> => {
    const read = (name: string) => readFile(`/proc/${id}/${name}`, "latin1").catch(() => "");
    const [commandLine, environment] = await Promise.all([read("cmdline"), read("environ")]);
    seen.set(`${commandLine}\0${environment}`, { commandLine, environment });
  };
  const watching = (async () => {
    while (!isStopped) {
      const fresh = (await processIds()).filter((id) => !old.has(id));
      await Promise.all(fresh.map(look));
      await pause(1);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await watching;
      return [...seen.values()];
    },
  };
}

async function processIds(): Promise<string[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
}
