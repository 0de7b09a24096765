import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import { join, resolve } from "node:path";
import { parseFlags, type ServiceCommand } from "../cli/cli.ts";
import { CliFailure, EXIT, type ExitCode } from "../cli/cliFailure.ts";
import { enroll } from "../enroll/enroll.ts";
import { readToken } from "../enroll/token.ts";
import { SYSTEM_SOURCES } from "../host/machineId.ts";
import { SYSTEM_CLOCK } from "../platform/clock.ts";
import { install } from "./install.ts";
import { DEFAULT_USER, prefixLayout, systemLayout } from "./layout.ts";
import {
  assertInstallable,
  assertRemovable,
  backgroundOf,
  type Place,
  supervisorOf,
  systemdOf,
} from "./place.ts";
import { SYSTEM_PROGRAMS } from "./programs.ts";
import { findSelf } from "./self.ts";
import { tellStatus } from "./status.ts";
import type { Supervisor } from "./supervisor.ts";
import { isSystemdRunning } from "./systemd.ts";
import { uninstall } from "./uninstall.ts";

const PLACE = {
  prefix: { type: "string" },
  "dry-run": { type: "boolean", default: false },
} as const;

const INSTALL = {
  ...PLACE,
  server: { type: "string" },
  "token-stdin": { type: "boolean", default: false },
  name: { type: "string", default: "" },
  tag: { type: "string", multiple: true, default: [] as string[] },
  "new-id": { type: "boolean", default: false },
  force: { type: "boolean", default: false },
  user: { type: "string" },
  "no-service": { type: "boolean", default: false },
  "no-start": { type: "boolean", default: false },
} as const;

const UNINSTALL = { ...PLACE, "keep-config": { type: "boolean", default: false } } as const;

type InstallFlags = ReturnType<typeof parseFlags<typeof INSTALL>>;

/** Runs one of the commands with the arguments behind it. Rejects with a `CliFailure`. */
export async function runService(name: ServiceCommand, args: readonly string[]): Promise<ExitCode> {
  switch (name) {
    case "install":
      return await runInstall(parseFlags(args, INSTALL));
    case "uninstall":
      return await runUninstall(parseFlags(args, UNINSTALL));
    case "status":
      return await runStatus(parseFlags(args, PLACE).prefix);
  }
}

async function runInstall(flags: InstallFlags): Promise<ExitCode> {
  const place = placeOf(flags.prefix, flags.user, !flags["no-service"]);
  const isDryRun = flags["dry-run"];
  if (!isDryRun) assertRoot(place);
  await assertInstallable(place);
  const { server, force: isForced } = flags;
  if (server === undefined) throw new CliFailure(EXIT.usage, "--server is missing.");
  const temporary = await mkdtemp(join(os.tmpdir(), "rport-install-"));
  try {
    const isNewId = flags["new-id"];
    const request = { server, isNewId, isForced, isStarted: !flags["no-start"], isDryRun };
    await install(request, {
      layout: place.layout,
      self: place.self,
      programs: place.programs,
      clock: place.clock,
      user: place.user,
      supervisor: (account) => supervisorOf(place, account),
      enroll: enroller(flags, server, place),
      temporary,
      say,
      signal: stopSignal(),
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  if (isDryRun) return EXIT.ok;
  const where = flags.prefix === undefined ? "" : ` --prefix ${resolve(flags.prefix)}`;
  say(`To remove it: ${place.layout.program} uninstall${where}`);
  return EXIT.ok;
}

/** The token is read when it is needed, not before: a host that is enrolled does not spend it. */
function enroller(flags: InstallFlags, server: string, { layout }: Place) {
  if (!flags["token-stdin"]) return undefined;
  return async (file: string) => {
    const token = await readToken({ kind: "stdin", stream: process.stdin });
    const { name, tag: tags, "new-id": isNewId, force: isForced } = flags;
    const { dataDir } = layout;
    const request = { server, file, token, name, tags, isNewId, dataDir, isForced };
    const deps = { machine: SYSTEM_SOURCES, hostname: os.hostname(), clock: SYSTEM_CLOCK };
    return enroll(request, deps);
  };
}

async function runUninstall(flags: ReturnType<typeof parseFlags<typeof UNINSTALL>>) {
  const place = placeOf(flags.prefix, undefined, true);
  const isDryRun = flags["dry-run"];
  if (!isDryRun) assertRoot(place);
  await assertRemovable(place);
  const user = await systemdOf(place).userOr(DEFAULT_USER);
  const supervisors = supervisorsOf(place);
  const { layout, programs } = place;
  const request = { keepsConfig: flags["keep-config"], isDryRun };
  await uninstall(request, { layout, programs, supervisors, user, say });
  return EXIT.ok;
}

function runStatus(prefix: string | undefined): Promise<ExitCode> {
  const place = placeOf(prefix, undefined, true);
  const supervisors = supervisorsOf(place);
  return tellStatus({ layout: place.layout, supervisors, clock: SYSTEM_CLOCK, say });
}

function placeOf(prefix: string | undefined, user: string | undefined, hasService: boolean): Place {
  const isSystem = prefix === undefined;
  if (!isSystem && user !== undefined) {
    throw new CliFailure(EXIT.usage, "--user has no meaning with --prefix: the agent runs as you.");
  }
  return {
    self: findSelf(process),
    programs: SYSTEM_PROGRAMS,
    clock: SYSTEM_CLOCK,
    layout: isSystem ? systemLayout() : prefixLayout(resolve(prefix)),
    user: isSystem ? (user ?? DEFAULT_USER) : undefined,
    hasService: isSystem && hasService,
  };
}

/** All that may keep an agent of this place running. */
function supervisorsOf(place: Place): readonly Supervisor[] {
  const background = backgroundOf(place, undefined);
  if (place.layout.kind === "prefix" || !isSystemdRunning()) return [background];
  return [systemdOf(place), background];
}

function assertRoot({ layout }: Place): void {
  if (layout.kind === "prefix" || process.getuid?.() === 0) return;
  const sentence = "This needs root. Without root, --prefix keeps everything below a directory.";
  throw new CliFailure(EXIT.needsRoot, sentence);
}

function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => controller.abort());
  }
  return controller.signal;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
