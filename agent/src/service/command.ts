import { lstat } from "node:fs/promises";
import os from "node:os";
import { resolve } from "node:path";
import { printableLines } from "@rport/protocol/printable";
import { parseFlags, parseTlsPin, type ServiceCommand } from "../cli/cli.ts";
import { CliFailure, EXIT, type ExitCode } from "../cli/cliFailure.ts";
import { enroll } from "../enroll/enroll.ts";
import { readToken } from "../enroll/token.ts";
import type { Account } from "../machine/account.ts";
import type { Place } from "../machine/place.ts";
import { removeTree } from "../machine/placing.ts";
import type { Installing, Platform } from "../machine/platform.ts";
import { SYSTEM_PROGRAMS } from "../machine/programs.ts";
import { findSelf } from "../machine/self.ts";
import { SYSTEM_CLOCK } from "../platform/clock.ts";
import { install } from "./install.ts";
import { isOwnedBy, isRoots } from "./keptConfig.ts";
import { assertRemovesOther, howToRemove } from "./removal.ts";
import { tellStatus } from "./status.ts";
import { Supervision } from "./supervision.ts";
import { terminalsIn, withOptionalAccount } from "./terminals.ts";
import { assertOwnPrefix, makeTemporary } from "./trustedWay.ts";
import { uninstall } from "./uninstall.ts";
import { verifyFile } from "./verifyFile.ts";

const PLACE = {
  prefix: { type: "string" },
  "dry-run": { type: "boolean", default: false },
} as const;

const INSTALL = {
  ...PLACE,
  server: { type: "string" },
  pairing: { type: "string" },
  "tls-pin": { type: "string" },
  "token-stdin": { type: "boolean", default: false },
  name: { type: "string", default: "" },
  tag: { type: "string", multiple: true, default: [] as string[] },
  "new-id": { type: "boolean", default: false },
  force: { type: "boolean", default: false },
  user: { type: "string" },
  "no-service": { type: "boolean", default: false },
  "no-start": { type: "boolean", default: false },
  terminals: { type: "string" },
  "no-terminals": { type: "boolean", default: false },
} as const;

const UNINSTALL = { ...PLACE, "keep-config": { type: "boolean", default: false } } as const;

const BACKGROUND = {
  prefix: { type: "string" },
  user: { type: "string" },
  "pid-file": { type: "string" },
} as const;

const VERIFY = {
  prefix: { type: "string" },
  server: { type: "string", default: "" },
  file: { type: "string", default: "" },
  "allow-downgrade": { type: "boolean", default: false },
} as const;

type InstallFlags = ReturnType<typeof parseFlags<typeof INSTALL>>;
type UninstallFlags = ReturnType<typeof parseFlags<typeof UNINSTALL>>;

/** Runs one of the commands with the arguments behind it. Rejects with a `CliFailure`. */
export async function runService(
  name: ServiceCommand,
  args: readonly string[],
  platform: Platform,
): Promise<ExitCode> {
  switch (name) {
    case "install":
      return await runInstall(parseFlags(withOptionalAccount(args), INSTALL), platform);
    case "uninstall":
      return await runUninstall(parseFlags(args, UNINSTALL), platform);
    case "status":
      return await runStatus(parseFlags(args, PLACE).prefix, platform);
    case "background":
      return await runBackground(args, platform);
    case "verify":
      return await runVerify(parseFlags(args, VERIFY), platform);
  }
}

async function runInstall(flags: InstallFlags, platform: Platform): Promise<ExitCode> {
  const installing = installingOn(platform);
  const asked = placeOf(installing, flags.prefix, flags.user);
  const isDryRun = flags["dry-run"];
  if (!isDryRun) assertPrivileged(asked, installing);
  await assertOwnPrefix(asked.layout, installing);
  const { place, terminals } = await terminalsIn(asked, flags, installing);
  const supervision = await Supervision.of(place, installing, !flags["no-service"]);
  await supervision.assertInstallable();
  const { server, force: isForced } = flags;
  if (server === undefined) throw new CliFailure(EXIT.usage, "--server is missing.");
  const temporary = await makeTemporary(installing);
  try {
    const isNewId = flags["new-id"];
    const isStarted = !flags["no-start"];
    const request = { server, isNewId, isForced, isStarted, terminals, isDryRun };
    await install(request, {
      place,
      installing,
      programs: SYSTEM_PROGRAMS,
      clock: SYSTEM_CLOCK,
      supervisor: (account) => supervision.wanted(account),
      predecessor: await supervision.predecessor(),
      enroll: enroller(flags, server, { layout: place.layout, platform }),
      temporary,
      say,
      signal: stopSignal(),
    });
  } finally {
    await removeTree(temporary);
  }
  if (isDryRun) return EXIT.ok;
  say(`To remove it: ${howToRemove(place, installing)}`);
  return EXIT.ok;
}

/** The token is read when it is needed, not before: a host that is enrolled does not spend it. */
function enroller(
  flags: InstallFlags,
  server: string,
  { layout, platform }: Pick<Place, "layout"> & { readonly platform: Platform },
) {
  if (!flags["token-stdin"]) return undefined;
  return async (file: string) => {
    const token = await readToken({ kind: "stdin", stream: process.stdin });
    const { pairing, name, tag: tags, "new-id": isNewId, force: isForced } = flags;
    const { dataDir } = layout;
    const tlsPin = parseTlsPin(flags["tls-pin"]);
    const request = {
      server,
      pairing,
      tlsPin,
      file,
      token,
      name,
      tags,
      isNewId,
      dataDir,
      isForced,
    };
    const deps = { platform, hostname: os.hostname(), clock: SYSTEM_CLOCK };
    return enroll(request, deps);
  };
}

async function runUninstall(flags: UninstallFlags, platform: Platform): Promise<ExitCode> {
  const installing = installingOn(platform);
  const place = placeOf(installing, flags.prefix, undefined);
  const isDryRun = flags["dry-run"];
  if (!isDryRun) assertPrivileged(place, installing);
  if (!isDryRun) assertRemovesOther(place, installing);
  await assertOwnPrefix(place.layout, installing);
  const supervision = await Supervision.of(place, installing, true);
  await supervision.assertRemovable();
  const user = await supervision.user();
  const { layout } = place;
  const request = { keepsConfig: flags["keep-config"], isDryRun };
  const supervisors = supervision.all();
  const wayBack = supervision.wayBack();
  await uninstall(request, { layout, installing, supervisors, user, wayBack, say });
  return EXIT.ok;
}

async function runStatus(prefix: string | undefined, platform: Platform): Promise<ExitCode> {
  const installing = installingOn(platform);
  const place = placeOf(installing, prefix, undefined);
  const supervisors = (await Supervision.of(place, installing, true)).all();
  return tellStatus({ place, installing, supervisors, clock: SYSTEM_CLOCK, say });
}

/** An agent without a service, or under an init that only calls scripts. */
async function runBackground(args: readonly string[], platform: Platform): Promise<ExitCode> {
  const [verb = "", ...rest] = args;
  const { prefix, user, "pid-file": pidFile } = parseFlags(rest, BACKGROUND);
  const installing = installingOn(platform);
  const place = placeOf(installing, prefix, user);
  assertPrivileged(place, installing);
  if (verb !== "status") await assertOwnPrefix(place.layout, installing);
  const account = place.user === undefined ? undefined : await installing.accounts.find(place.user);
  if (place.user !== undefined && account === undefined) {
    throw new CliFailure(EXIT.failed, `There is no user ${place.user}.`);
  }
  if (verb === "start" || verb === "restart") await assertOwnConfig(place, account);
  const agent = installing.background(place, { account, pidFile });
  switch (verb) {
    case "start":
      if (!(await agent.isRunning())) await agent.start();
      return EXIT.ok;
    case "restart":
      await agent.start();
      return EXIT.ok;
    case "stop":
      await agent.stop();
      return EXIT.ok;
    case "status":
      return (await agent.isRunning()) ? EXIT.ok : EXIT.failed;
    default:
      throw new CliFailure(EXIT.usage, "background is for start, restart, stop or status.");
  }
}

/** An agent obeys its `rport.conf`, hence starts on none that is neither its account's nor root's. */
async function assertOwnConfig({ layout }: Place, account: Account | undefined): Promise<void> {
  const stats = await lstat(layout.config).catch(() => undefined);
  if (stats === undefined || isRoots(stats) || isOwnedBy(stats, account?.owner)) return;
  const sentence = `${layout.config} belongs to another account than ${account?.name}.`;
  throw new CliFailure(EXIT.failed, `${sentence} An installation can move the agent to it.`);
}

async function runVerify(
  flags: ReturnType<typeof parseFlags<typeof VERIFY>>,
  platform: Platform,
): Promise<ExitCode> {
  const { prefix, server, file, "allow-downgrade": allowsDowngrade } = flags;
  const { config } = placeOf(installingOn(platform), prefix, undefined).layout;
  await verifyFile({ file: resolve(file), server, config, allowsDowngrade });
  say(`${file} is of the release that ${server} has signed.`);
  return EXIT.ok;
}

function installingOn(platform: Platform): Installing {
  return platform.installing({ programs: SYSTEM_PROGRAMS, clock: SYSTEM_CLOCK });
}

function placeOf(
  installing: Installing,
  prefix: string | undefined,
  user: string | undefined,
): Place {
  const self = findSelf(process);
  if (prefix === undefined) {
    const layout = installing.systemLayout();
    return { self, layout, user: user ?? installing.accounts.defaultName };
  }
  if (user !== undefined) {
    throw new CliFailure(EXIT.usage, "--user has no meaning with --prefix: the agent runs as you.");
  }
  return { self, layout: installing.prefixLayout(resolve(prefix)), user: undefined };
}

function assertPrivileged({ layout }: Place, installing: Installing): void {
  if (layout.kind === "prefix" || installing.isPrivileged()) return;
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
  process.stdout.write(`${printableLines(line)}\n`);
}
