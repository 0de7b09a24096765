import { lchown, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { hostKeyFileIn } from "../host/hostKey.ts";
import { textOf } from "../platform/errorText.ts";
import { findAccount, removeAccount } from "./account.ts";
import type { Layout } from "./layout.ts";
import { isPresent, removeDrafts, removeIfEmpty } from "./placing.ts";
import type { Programs } from "./programs.ts";
import { readReceipt } from "./receipt.ts";
import type { Supervisor } from "./supervisor.ts";

/** What a person asked for. */
export interface UninstallRequest {
  /** Leave `rport.conf` and the host's key, so that a later installation is the same host. */
  readonly keepsConfig: boolean;
  /** Say what would be done, and do nothing. */
  readonly isDryRun: boolean;
}

/** What uninstalling needs of the machine. */
export interface UninstallDeps {
  readonly layout: Layout;
  readonly programs: Programs;
  /** Everything that may keep an agent of this layout running. */
  readonly supervisors: readonly Supervisor[];
  /** The account that ran the agent. */
  readonly user: string;
  say(line: string): void;
}

interface Step {
  readonly title: string;
  run(): Promise<void>;
}

/**
 * Removes the agent without a trace: service, process, program, configuration, state, and the
 * account if an installer of ours made it. Does as much as it can and then rejects with what it
 * could not do. Where nothing is installed, nothing is touched.
 */
export async function uninstall(request: UninstallRequest, deps: UninstallDeps): Promise<void> {
  const { say } = deps;
  if (!(await isInstalled(deps))) {
    say("There is no agent to remove.");
    return;
  }
  const steps = await uninstallSteps(request, deps);
  if (request.isDryRun) {
    for (const { title } of steps) say(`would ${title}`);
    return;
  }
  const troubles = await performAll(steps);
  if (troubles.length > 0) throw new CliFailure(EXIT.failed, troubles.join("\n"));
  say("The agent is removed.");
}

/** Things that only we make, also by a run that was killed early. */
async function isInstalled(deps: UninstallDeps): Promise<boolean> {
  const { layout, supervisors, programs, user } = deps;
  for (const supervisor of supervisors) if (await supervisor.isInstalled()) return true;
  if (layout.receipt !== undefined) return isPresent(layout.receipt);
  if ((await isPresent(layout.program)) || (await isPresent(layout.bundle))) return true;
  return (await findAccount(programs, user))?.isOurs === true;
}

async function uninstallSteps(
  { keepsConfig }: UninstallRequest,
  { layout, supervisors, programs, user }: UninstallDeps,
): Promise<readonly Step[]> {
  const { program, bundle, config, dataDir, receipt } = layout;
  const prefix = receipt === undefined ? undefined : dirname(receipt);
  const made =
    receipt === undefined || prefix === undefined ? undefined : await readReceipt(receipt, prefix);
  const folders = [dirname(program), dirname(bundle)];
  // The account's own files go before the account, so that its number means nobody's files.
  return [
    ...supervisors.map((supervisor) => ({
      title: `stop and remove ${supervisor.title}`,
      run: () => supervisor.remove(),
    })),
    ...[program, bundle].map(removal),
    keepsConfig
      ? {
          title: `remove everything in ${dataDir} but the key of this host`,
          run: () => keepHostKey(dataDir),
        }
      : { title: `remove ${dataDir}`, run: () => rm(dataDir, { recursive: true, force: true }) },
    keepsConfig
      ? { title: `keep ${config}, readable for its owner alone`, run: () => giveToCaller(config) }
      : removal(config),
    ...(prefix === undefined
      ? [emptyFolder(dirname(bundle)), emptyFolder(dirname(config)), account(programs, user)]
      : folders.map(emptyFolder)),
    ...(receipt === undefined || keepsConfig ? [] : [removal(receipt)]),
    ...[...(made?.directories ?? [])].reverse().map(emptyFolder),
  ];
}

function removal(path: string): Step {
  return {
    title: `remove ${path}`,
    run: async () => {
      await rm(path, { force: true });
      await removeDrafts(path);
    },
  };
}

function emptyFolder(path: string): Step {
  return { title: `remove ${path} if nothing is left in it`, run: () => removeIfEmpty(path) };
}

function account(programs: Programs, user: string): Step {
  return {
    title: `remove the user ${user} if the installer made it`,
    run: () => removeAccount(programs, user),
  };
}

async function keepHostKey(dataDir: string): Promise<void> {
  const key = hostKeyFileIn(dataDir);
  if (!(await isPresent(key))) {
    await rm(dataDir, { recursive: true, force: true });
    return;
  }
  // The folder first: from then on the agent's account cannot put anything else there.
  await giveToCaller(dataDir);
  for (const name of await readdir(dataDir)) {
    if (name !== basename(key)) await rm(join(dataDir, name), { recursive: true, force: true });
  }
  await giveToCaller(key);
}

/** The secret in it must not fall to the next account that gets the number of the old one. */
async function giveToCaller(path: string): Promise<void> {
  if (!(await isPresent(path))) return;
  await lchown(path, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
}

async function performAll(steps: readonly Step[]): Promise<readonly string[]> {
  const troubles: string[] = [];
  for (const { title, run } of steps) {
    try {
      await run();
    } catch (error) {
      troubles.push(`Could not ${title}: ${textOf(error)}`);
    }
  }
  return troubles;
}
