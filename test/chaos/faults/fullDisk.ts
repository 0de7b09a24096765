import type { Fault } from "../fault.ts";
import type { Trial } from "../trial.ts";

/** Grants that are tried until one is refused: what space was reserved already may still be used. */
const TRIES = 500;

/** No space is left, and later there is again (D-04, F-15). */
export const fullDisk: Fault = {
  name: "full-disk",
  title: "the disk is full, and then not",
  harm: "none",
  lacks: ({ disk }) =>
    disk.kind === "folder" ? "this machine lets us mount no file system" : undefined,
  async run(trial: Trial): Promise<void> {
    const { disk, sizes } = trial.scene;
    disk.fill();
    try {
      trial.note("a full disk grants nothing", await isRefused(trial), "refused in the end");
      trial.letNewcomersTry();
      await trial.pause(sizes.faultMs);
      await trial.deleteDoomedUnwritten(() => disk.empty());
    } finally {
      disk.empty();
    }
  },
};

async function isRefused({ scene }: Trial): Promise<boolean> {
  for (let n = 0; n < TRIES; n += 1) {
    scene.disk.fill();
    try {
      await scene.server.api("createCredential", { body: { id: `on-a-full-disk-${n}` } });
    } catch (error) {
      return (error as { readonly code?: string }).code === "DISK_FULL";
    }
  }
  return false;
}
