import { RportError } from "@rport/protocol/errors";
import { ACCOUNT_NAME } from "../account.ts";

/** The only things in which two units differ. */
export interface Unit {
  readonly user: string;
  /** Leaves a shell as free as its account is; else the agent is confined. */
  readonly allowsTerminals: boolean;
  /** The program and its arguments; absolute paths of plain characters. */
  readonly command: readonly string[];
  /** What the agent may write to beside its state: the folder of its configuration at least. */
  readonly writable: readonly string[];
  /** Directories below /var/log that systemd makes for it. */
  readonly logsDirectories: readonly string[];
}

/** By this line a unit is recognised as ours; others of the same name are left alone. */
export const UNIT_MARK = "# Written by the installer of rport-agent.";
/** By this line, which only root can write, a later installation knows that terminals are allowed. */
const OPEN_MARK = "# Terminals are allowed: it is as open as its account is.";

/** How a unit or a script of ours begins to say what it is. */
export function headOf(allowsTerminals: boolean): string {
  return allowsTerminals ? `${UNIT_MARK}\n${OPEN_MARK}` : UNIT_MARK;
}

/** Whether this is the text of one that is as open as its account is. */
export function isOpen(text: string): boolean {
  return text.split("\n").includes(OPEN_MARK);
}

/** Everything that needs no quoting in a unit; `%` and `$` have a meaning there. */
const PLAIN_WORD = /^[A-Za-z0-9_./:@+,-]+$/;

/** Whether a unit can name a path. */
export function isPlain(path: string): boolean {
  return PLAIN_WORD.test(path);
}

/**
 * The text of the systemd unit. Nothing from outside gets into it but a checked user name and
 * paths of plain characters; throws `BAD_REQUEST` for others.
 */
export function renderUnit(unit: Unit): string {
  const { user, allowsTerminals, command, logsDirectories } = unit;
  assertPlain(unit);
  const logs = logsDirectories.map((name) => `LogsDirectory=${name}\nLogsDirectoryMode=0750\n`);
  return `${headOf(allowsTerminals)}
# Changes belong into /etc/systemd/system/rport.service.d/*.conf, not here.
[Unit]
Description=RPort agent
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${command.join(" ")}
User=${user}
Restart=always
RestartSec=5
Environment=DO_NOT_TRACK=1 BUN_ENABLE_CRASH_REPORTING=0
StateDirectory=rport
StateDirectoryMode=0700
${allowsTerminals ? `${logs.join("")}${OPEN}` : confinement(unit, logs.join(""))}
[Install]
WantedBy=multi-user.target
`;
}

function assertPlain({ user, command, writable, logsDirectories }: Unit): void {
  if (!ACCOUNT_NAME.test(user)) {
    throw new RportError("BAD_REQUEST", "The user's name has letters that a service cannot have.");
  }
  if (![...command, ...writable, ...logsDirectories].every(isPlain)) {
    throw new RportError("BAD_REQUEST", "A path has characters that a service cannot have.");
  }
}

function confinement({ writable }: Unit, logs: string): string {
  return `ReadWritePaths=${writable.join(" ")}
${logs}UMask=0077

${BOUNDS}
${HARDENING}`;
}

/**
 * What a shell finds that a person works in. Every confinement is missing on purpose: each of them would
 * hold for what is started in a shell as well, keep sudo from becoming root, hide homes or devices, or
 * end a build. What is meant to outlive its terminal, such as tmux, outlives the agent, too, as it does with
 * sshd, and one program that takes all the memory ends alone. What the agent writes is in folders that
 * nobody else may enter. The kernel's keyring of a service would be that of the shells of all accounts, who
 * could read each other's keys; without one the kernel has one for each account.
 */
export const OPEN = `UMask=0022
KeyringMode=inherit
KillMode=process
OOMPolicy=continue
TasksMax=infinity
LimitCORE=0:infinity
`;

/**
 * What a server that was taken over can use up of the host. The agent needs 70 to 80 MB at rest,
 * 210 with sixteen bulk transfers and 300 with two hundred readers that stopped; it starts no
 * program, and has at most a few threads per processor. It is
 * back five seconds after it was ended, hence rather ended than what the host is there for. What
 * it had in memory, its secret among it, is in no core file.
 */
const BOUNDS = `MemoryMax=512M
MemorySwapMax=128M
TasksMax=512
OOMScoreAdjust=500
LimitCORE=0
`;

/** What of the kernel the agent never needs; also a user's own systemd can take it away. */
export const SYSTEM_CALLS = `RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
`;

/**
 * What the agent never needs. MemoryDenyWriteExecute is missing on purpose: JavaScript engines
 * write the code that they run, and abort under it.
 */
const HARDENING = `NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
PrivateTmp=yes
PrivateDevices=yes
RemoveIPC=yes
${SYSTEM_CALLS}`;
