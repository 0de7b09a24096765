import { dirname } from "node:path";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { loadConfig } from "../config/loadConfig.ts";
import type { Clock } from "../platform/clock.ts";
import { ACCOUNT_NAME, type Account, findAccount } from "./account.ts";
import { BackgroundProcess } from "./background.ts";
import type { Layout } from "./layout.ts";
import type { Programs } from "./programs.ts";
import { runCommand, type Self } from "./self.ts";
import type { Supervisor } from "./supervisor.ts";
import { isSystemdRunning, SystemdService } from "./systemd.ts";
import { isPlain } from "./unit.ts";
import { type Writable, writableFor } from "./writable.ts";

/** Where an agent is installed, as whom it runs, and what keeps it running. */
export interface Place {
  readonly layout: Layout;
  /** Undefined: whoever installs. */
  readonly user: string | undefined;
  readonly hasService: boolean;
  readonly self: Self;
  readonly programs: Programs;
  readonly clock: Clock;
}

/** Directories that the service does not see: see `ProtectHome` and `PrivateTmp` in the unit. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//;

/** The supervisor that a place asks for. */
export function supervisorOf(place: Place, account: Account | undefined): Supervisor {
  return place.hasService ? systemdOf(place) : backgroundOf(place, account);
}

/** The agent of this place as a service of systemd, which lets it do what its configuration says. */
export function systemdOf(place: Place): SystemdService {
  const { layout, self, programs, user = "" } = place;
  const command = runCommand(layout, self);
  return new SystemdService(programs, async (made) => {
    const { paths, logsDirectories } = await configuredWritable(place, made);
    const writable = [dirname(layout.config), ...paths.filter(isPlain)];
    return { user, command, writable, logsDirectories: logsDirectories.filter(isPlain) };
  });
}

async function configuredWritable(
  { layout, programs, user = "" }: Place,
  made: readonly string[],
): Promise<Writable> {
  const config = await loadConfig(layout.config).catch(() => undefined);
  const account = await findAccount(programs, user);
  if (config === undefined || account === undefined) return { paths: [], logsDirectories: [] };
  const { logFile, dataDir } = config;
  return writableFor({ logFile, dataDir, logsDirectories: made }, account);
}

/** The agent of this place as a process without a service. */
export function backgroundOf(place: Place, account: Account | undefined): BackgroundProcess {
  const { layout, self, clock } = place;
  const { pidFile, logFile } = layout;
  const command = runCommand(layout, self);
  return new BackgroundProcess({ command, pidFile, logFile, account, clock });
}

/** Rejects with a `CliFailure` when an agent cannot be installed like this. Changes nothing. */
export async function assertInstallable(place: Place): Promise<void> {
  const { user, self, hasService } = place;
  if (user !== undefined && !ACCOUNT_NAME.test(user)) {
    throw new CliFailure(EXIT.usage, "--user must be a plain lower-case user name.");
  }
  if (place.layout.kind === "prefix") return;
  await assertNoOtherSupervisor(place);
  if (!hasService) return;
  if (!isSystemdRunning()) {
    const sentence = "This machine is not run by systemd. Use --no-service, and start it yourself.";
    throw new CliFailure(EXIT.offline, sentence);
  }
  if (self.kind === "bundle" && HIDDEN.test(self.node)) {
    const sentence = `A service cannot use ${self.node}. Install Node for all users.`;
    throw new CliFailure(EXIT.unsupported, sentence);
  }
}

/**
 * Rejects with a `CliFailure` where the system-wide places belong to another program, which has
 * its own `rport.conf` and state there.
 */
export async function assertRemovable(place: Place): Promise<void> {
  if (place.layout.kind === "prefix" || !isSystemdRunning()) return;
  if (await backgroundOf(place, undefined).isInstalled()) return;
  await assertOwnUnit(systemdOf(place));
}

async function assertOwnUnit(systemd: SystemdService): Promise<void> {
  if (!(await systemd.isForeign())) return;
  const sentence = `${systemd.title} belongs to another program, perhaps RPort's own client.`;
  throw new CliFailure(EXIT.failed, `${sentence} Remove that first.`);
}

async function assertNoOtherSupervisor(place: Place): Promise<void> {
  const systemd = systemdOf(place);
  if (isSystemdRunning()) await assertOwnUnit(systemd);
  const other = place.hasService ? backgroundOf(place, undefined) : systemd;
  if (!(await other.isInstalled())) return;
  const how = place.hasService ? "without a service" : "as a service";
  throw new CliFailure(EXIT.usage, `The agent is installed ${how}. Uninstall that first.`);
}
