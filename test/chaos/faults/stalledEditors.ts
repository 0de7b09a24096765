import type { Fault } from "../fault.ts";
import type { Trial } from "../trial.ts";

/** What editors that do not read may cost, all together. */
const MOST_BYTES = 256 << 20;
const LOOK_MS = 250;

/** Editors connect and read nothing, while everything changes (F-09 for events). */
export const stalledEditors: Fault = {
  name: "stalled-editors",
  title: "editors stop reading",
  harm: "none",
  async run(trial: Trial): Promise<void> {
    const { editors, server, sizes, endpointFile: file } = trial.scene;
    const before = await server.bytes();
    const endMs = performance.now() + sizes.faultMs;
    let peak = before;
    try {
      await editors.ask("stall", { file, count: sizes.stalled });
      await trial.deleteDoomedForSure();
      trial.letNewcomersTry();
      while (performance.now() < endMs) {
        peak = Math.max(peak, await server.bytes());
        await trial.pause(LOOK_MS);
      }
    } finally {
      await editors.ask("release");
    }
    const megabytes = (peak - before) / (1 << 20);
    const seen = `${megabytes.toFixed(0)} MB for ${sizes.stalled}`;
    trial.note("readers that do not read cost little", peak - before < MOST_BYTES, seen);
  },
};
