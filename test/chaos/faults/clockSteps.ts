import type { Fault } from "../fault.ts";
import type { Trial } from "../trial.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** How far off the machine's clock is, one after the other; the steps go both ways. */
const OFFSETS_MS = [-1, HOUR_MS, -2 * HOUR_MS, 10 * YEAR_MS, -10 * YEAR_MS];

/** Somebody sets the clock of the server's machine, by hours and by years (F-11). */
export const clockSteps: Fault = {
  name: "clock-steps",
  title: "the machine's clock is set forward and back",
  harm: "none",
  async run(trial: Trial): Promise<void> {
    const { server, sizes } = trial.scene;
    try {
      for (const offsetMs of OFFSETS_MS) {
        await server.setClock(offsetMs);
        if (offsetMs === 10 * YEAR_MS) await trial.deleteDoomedForSure();
        if (offsetMs === 10 * YEAR_MS) trial.letNewcomersTry();
        await trial.pause(sizes.faultMs / OFFSETS_MS.length);
      }
    } finally {
      await server.setClock(0);
    }
  },
};
