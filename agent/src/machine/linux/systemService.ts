import { dirname } from "node:path";
import type { Accounts } from "../account.ts";
import type { Place } from "../place.ts";
import type { Programs } from "../programs.ts";
import { runCommand, type Self } from "../self.ts";
import { configuredWritable } from "./configured.ts";
import { SystemdService } from "./systemd.ts";
import { isPlain, renderUnit } from "./unit.ts";

const UNIT_NAME = "rport.service";
const UNIT_FILE = `/etc/systemd/system/${UNIT_NAME}`;
/** Directories that the service does not see: see `ProtectHome` and `PrivateTmp` in the unit. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//;
const LOGS_DIRECTORIES = /^LogsDirectory=(.*)$/gm;

/** The agent of this place as a service of the machine, which lets it do what its configuration says. */
export function systemService(
  place: Place,
  { programs, accounts }: { readonly programs: Programs; readonly accounts: Accounts },
): SystemdService {
  const { layout, self, user = "", allowsTerminals = false } = place;
  return new SystemdService({
    programs,
    name: UNIT_NAME,
    title: `the service ${UNIT_NAME}`,
    file: UNIT_FILE,
    systemctl: ["systemctl"],
    journal: ["journalctl", `--unit=${UNIT_NAME}`],
    wanted: async (installed) => {
      const made = [...installed.matchAll(LOGS_DIRECTORIES)].map(([, name = ""]) => name);
      const { paths, logsDirectories } = await configuredWritable(place, { made, accounts });
      return renderUnit({
        user,
        allowsTerminals,
        command: runCommand(layout, self),
        writable: [dirname(layout.config), ...paths.filter(isPlain)],
        logsDirectories: logsDirectories.filter(isPlain),
      });
    },
    prepare: async () => {},
    tidy: async () => {},
    obstacle: () => hiddenFrom(self),
    caveats: async () => [],
  });
}

function hiddenFrom(self: Self): string | undefined {
  if (self.kind === "executable" || !HIDDEN.test(self.node)) return undefined;
  return `A service cannot use ${self.node}. Install Node for all users.`;
}
