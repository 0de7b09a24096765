import type { Fault } from "../fault.ts";
import type { Trial } from "../trial.ts";

/** SIGSTOP, as a machine that is suspended, and SIGCONT (F-24). */
export const standstill: Fault = {
  name: "standstill",
  title: "the server's process stands still and goes on",
  harm: "stalls",
  async run(trial: Trial): Promise<void> {
    const { server, sizes } = trial.scene;
    server.signal("SIGSTOP");
    try {
      const deleted = trial.deleteDoomedForSure();
      trial.letNewcomersTry();
      await trial.pause(sizes.standstillMs);
      server.signal("SIGCONT");
      await deleted;
    } finally {
      server.signal("SIGCONT");
    }
  },
};
