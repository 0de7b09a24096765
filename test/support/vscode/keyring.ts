import type { Workbench } from "./workbench.ts";

/** The store of secrets of the probe, as its extension host has it. */
interface Probed {
  readonly probeSecrets: object;
}

/**
 * Has the editor's store of secrets fail as one does behind which is no keyring: whatever extensions ask of it is
 * refused with these words, until the extension host ends.
 */
export async function breakKeyring(workbench: Workbench, words: string): Promise<void> {
  await workbench.inHost((_, why) => {
    const { probeSecrets } = globalThis as unknown as Probed;
    const shared = Object.getPrototypeOf(probeSecrets) as Record<string, unknown>;
    for (const name of ["get", "store", "delete"]) {
      shared[name] = () => Promise.reject(new Error(why));
    }
  }, words);
}
