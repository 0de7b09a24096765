import type { Fault } from "../fault.ts";
import type { Trial } from "../trial.ts";

/** Between two kills, at the longest. */
const BETWEEN_MS = 3_000;

/** `kill -9`, again and again, at moments that the seed decides (D-01, F-04). */
export const kill: Fault = {
  name: "kill",
  title: "the server is killed and started again",
  harm: "cuts",
  async run(trial: Trial): Promise<void> {
    const { server, sizes } = trial.scene;
    for (let n = 0; n < sizes.kills; n += 1) {
      await trial.pause(trial.random.below(BETWEEN_MS));
      if (n === 0) await trial.deleteDoomedForSure();
      await server.killAndRestart();
      trial.letNewcomersTry();
    }
  },
};
