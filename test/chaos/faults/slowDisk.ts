import type { Fault } from "../fault.ts";
import type { Trial } from "../trial.ts";

/** A disk that is at its limit answers in between. */
const FREEZE_MS = 400;
const THAWED_MS = 40;
/** And one whose cable hangs does not, for a while. */
const LONG_FREEZE_MS = 4_000;

/** Every write takes half a second, and one takes four (fsfreeze on a disk of the run's own). */
export const slowDisk: Fault = {
  name: "slow-disk",
  title: "the disk is slow, and hangs for a while",
  harm: "none",
  lacks: ({ disk }) =>
    disk.kind === "image" ? undefined : "this machine lets us mount no image of a disk",
  async run(trial: Trial): Promise<void> {
    const { disk, sizes } = trial.scene;
    const endMs = performance.now() + sizes.faultMs;
    const deleted = trial.deleteDoomedForSure();
    trial.letNewcomersTry();
    while (performance.now() < endMs) {
      await disk.freeze(FREEZE_MS);
      await trial.pause(THAWED_MS);
    }
    await disk.freeze(LONG_FREEZE_MS);
    await deleted;
  },
};
