import { RportError } from "@rport/protocol/errors";
import { headOf, OPEN, SYSTEM_CALLS } from "./unit.ts";

/** Whatever has no meaning inside quotes in a unit: neither `%` nor `$`, no quote and no backslash. */
const QUOTABLE = /^[A-Za-z0-9_./:@+, -]+$/;

/** Whether a unit can name a path, in quotes. */
export function isQuotable(path: string): boolean {
  return QUOTABLE.test(path);
}

/**
 * The text of a unit for a user's own systemd; the folder is the user's own, so it may have blanks.
 * Throws `BAD_REQUEST` for paths with anything that a unit could take for more than a path. What
 * needs file systems of its own is missing: a user's systemd cannot make any everywhere.
 */
export function renderUserUnit(command: readonly string[], allowsTerminals = false): string {
  if (!command.every(isQuotable)) {
    throw new RportError("BAD_REQUEST", "A path has characters that a service cannot have.");
  }
  return `${headOf(allowsTerminals)}
# Changes belong into a folder of this unit's name with .d behind it, not here.
[Unit]
Description=RPort agent
StartLimitIntervalSec=0

[Service]
ExecStart=${command.map((word) => `"${word}"`).join(" ")}
WorkingDirectory=/
Restart=always
RestartSec=5
Environment=DO_NOT_TRACK=1 BUN_ENABLE_CRASH_REPORTING=0
${allowsTerminals ? OPEN : CONFINED}
[Install]
WantedBy=default.target
`;
}

const CONFINED = `UMask=0077
MemoryMax=512M
MemorySwapMax=128M
TasksMax=512
LimitCORE=0

NoNewPrivileges=yes
${SYSTEM_CALLS}`;
