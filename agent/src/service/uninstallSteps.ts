import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { hostKeyFileIn } from "../host/hostKey.ts";
import type { AccessRights } from "../machine/accessRights.ts";
import type { Accounts } from "../machine/account.ts";
import type { Layout } from "../machine/layout.ts";
import { isPresent, removeDrafts, removeIfEmpty } from "../machine/placing.ts";
import type { Installing } from "../machine/platform.ts";
import type { Supervisor } from "../machine/supervisor.ts";
import { removeOwnFiles } from "../state/ownFiles.ts";
import { isPlaced, isPlacedConfig } from "./provenance.ts";
import type { Receipt } from "./receipt.ts";

/** One thing to be taken away. */
export interface UninstallStep {
  /** What it does, to be read after "would". */
  readonly title: string;
  /** Resolves with what is kept, because the installation did not write it as it is now. */
  run(): Promise<readonly string[]>;
}

/** What is to be removed. */
export interface Removal {
  readonly layout: Layout;
  readonly receipt: Receipt | undefined;
  readonly installing: Pick<Installing, "accounts" | "rights" | "wrapper">;
  readonly supervisors: readonly Supervisor[];
  readonly user: string;
  readonly keepsConfig: boolean;
}

const NOTHING_KEPT: readonly string[] = [];

/** The steps in their order; the account's own files go before it, so that its number means nobody's. */
export function uninstallSteps(removal: Removal): readonly UninstallStep[] {
  const { layout, keepsConfig, supervisors, installing } = removal;
  const { wrapper, rights } = installing;
  return [
    ...supervisors.map((supervisor) =>
      step(`stop and remove ${supervisor.title}`, () => supervisor.remove()),
    ),
    ...[layout.program, layout.bundle].map((path) =>
      unlessForeign(path, () => isPlaced({ layout, wrapper }, path, removal.receipt)),
    ),
    keepsConfig ? keptKey(layout.dataDir, rights) : clearedState(layout.dataDir),
    keepsConfig ? keptConfig(layout, rights) : removedConfig(removal),
    ...lastSteps(removal),
  ];
}

/** Folders, the account, and at the very end what says that the directory is ours. */
function lastSteps({ layout, receipt, installing, user, keepsConfig }: Removal) {
  const { program, bundle, config, receipt: file } = layout;
  if (file === undefined) {
    const folders = [emptyFolder(dirname(bundle)), emptyFolder(dirname(config))];
    return [...folders, ...accounts(installing.accounts, user)];
  }
  const folders = [program, bundle].map(dirname);
  const made = [...(receipt?.directories ?? [])].reverse();
  return [
    ...folders.map(emptyFolder),
    ...(keepsConfig ? [] : [step(`remove ${file}`, () => removeWhole(file))]),
    ...made.map(emptyFolder),
  ];
}

function step(title: string, run: () => Promise<void>): UninstallStep {
  return { title, run: () => run().then(() => NOTHING_KEPT) };
}

/** A file that was changed since it was placed, or was never ours, stays. */
function unlessForeign(path: string, isOurs: () => Promise<boolean>): UninstallStep {
  return {
    title: `remove ${path} unless somebody changed it`,
    run: async () => {
      if ((await isPresent(path)) && !(await isOurs())) return [path];
      await removeWhole(path);
      return NOTHING_KEPT;
    },
  };
}

function removedConfig({ layout, receipt }: Removal): UninstallStep {
  return unlessForeign(layout.config, () => isPlacedConfig(layout, receipt));
}

/** The folder first: from then on the agent's account cannot put anything else there. */
function keptConfig({ kind, config }: Layout, rights: AccessRights): UninstallStep {
  return step(`keep ${config}, readable for its owner alone`, async () => {
    if (kind === "system") await takeOver(dirname(config), rights);
    await takeOver(config, rights);
  });
}

function clearedState(dataDir: string): UninstallStep {
  return {
    title: `remove the agent's files in ${dataDir}`,
    run: async () => {
      const left = await removeOwnFiles(dataDir);
      if (left.length === 0) await removeIfEmpty(dataDir);
      return left;
    },
  };
}

/** The folder first: from then on the agent's account cannot put anything else there. */
function keptKey(dataDir: string, rights: AccessRights): UninstallStep {
  const key = hostKeyFileIn(dataDir);
  return {
    title: `remove the agent's files in ${dataDir} but the key of this host`,
    run: async () => {
      if (!(await isPresent(key))) return clearedState(dataDir).run();
      await takeOver(dataDir, rights);
      const left = await removeOwnFiles(dataDir, [key]);
      await takeOver(key, rights);
      return left;
    },
  };
}

function emptyFolder(path: string): UninstallStep {
  return step(`remove ${path} if nothing is left in it`, () => removeIfEmpty(path));
}

/** An agent that has got another account, for terminals, has left the one that was made for it. */
function accounts(known: Accounts, user: string): readonly UninstallStep[] {
  return [...new Set([user, known.defaultName])].map((name) =>
    step(`remove the user ${name} if the installer made it`, () => known.remove(name)),
  );
}

async function removeWhole(path: string): Promise<void> {
  await rm(path, { force: true });
  await removeDrafts(path);
}

/** The secret in it must not fall to the next account that gets the number of the old one. */
async function takeOver(path: string, rights: AccessRights): Promise<void> {
  if (await isPresent(path)) await rights.takeOver(path);
}
