import { SYSTEM_CLOCK } from "../../../agent/src/platform/clock.ts";
import { createLog } from "../../../agent/src/platform/log.ts";
import { Floods } from "../../../agent/src/terminal/floods.ts";
import { Terminals } from "../../../agent/src/terminal/terminals.ts";

/** What an agent has whose configuration allows no terminals. */
export function noTerminals(): Terminals {
  return new Terminals({
    settings: {
      isAllowed: false,
      accounts: [],
      max: 16,
      idleMs: 0,
      shell: "",
      integratesShells: true,
    },
    clock: SYSTEM_CLOCK,
    log: createLog({ level: "error", clock: SYSTEM_CLOCK, write: () => {} }),
    floods: new Floods({ clock: SYSTEM_CLOCK, traffic: { isNow: false } }),
    parts: "off",
  });
}
