import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import type { Layout } from "../machine/layout.ts";
import { isPresent } from "../machine/placing.ts";
import type { Installing } from "../machine/platform.ts";
import { PREDECESSOR, type Supervisor } from "../machine/supervisor.ts";
import { textOf } from "../platform/errorText.ts";
import { isPlaced, type Provenance, provenanceOf } from "./provenance.ts";
import { type UninstallStep, uninstallSteps } from "./uninstallSteps.ts";

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
  readonly installing: Pick<Installing, "accounts" | "rights" | "wrapper">;
  /** Everything that may keep an agent of this layout running. */
  readonly supervisors: readonly Supervisor[];
  /** The commands that bring RPort's own client back, where its place was taken. */
  readonly wayBack: readonly string[];
  /** The account that ran the agent. */
  readonly user: string;
  say(line: string): void;
}

/**
 * Removes the agent without a trace: service, process, program, configuration, state, and the
 * account if an installer of ours made it. A file that is not as it was placed, and what the agent
 * did not write, is kept and told. Does as much as it can and then rejects with what it could not
 * do. Where nothing is installed, nothing is touched; where something else is, it rejects.
 */
export async function uninstall(request: UninstallRequest, deps: UninstallDeps): Promise<void> {
  const { say, layout, installing, supervisors, user } = deps;
  const provenance = await provenanceOf(layout, installing.wrapper);
  if (!(await isInstalled(provenance, deps))) {
    say("There is no agent to remove.");
    return;
  }
  const receipt = provenance.kind === "ours" ? provenance.receipt : undefined;
  const { keepsConfig } = request;
  const removal = { layout, receipt, installing, supervisors, user, keepsConfig };
  const steps = uninstallSteps(removal);
  if (request.isDryRun) {
    for (const { title } of steps) say(`would ${title}`);
    return;
  }
  await performAll(steps, say);
  await tellWayBack(deps);
}

async function tellWayBack({ layout, wayBack, say }: UninstallDeps): Promise<void> {
  const kept = `${layout.config}${PREDECESSOR}`;
  if (wayBack.length === 0 || !(await isPresent(kept))) return;
  say("RPort's own client was here before. This brings it back:");
  for (const line of [`mv ${kept} ${layout.config}`, ...wayBack]) say(`  ${line}`);
}

/** Things that only we make, also by a run that was killed early. */
async function isInstalled(provenance: Provenance, deps: UninstallDeps): Promise<boolean> {
  const { layout, supervisors, installing, user } = deps;
  if (provenance.kind === "foreign") {
    const sentence = `was not written by an installer of this agent. Nothing is removed.`;
    throw new CliFailure(EXIT.usage, `${layout.receipt} ${sentence}`);
  }
  if (provenance.kind === "none") return false;
  if (provenance.receipt !== undefined) return true;
  for (const supervisor of supervisors) if (await supervisor.isInstalled()) return true;
  for (const path of [layout.program, layout.bundle]) {
    if (await isPlaced({ layout, wrapper: installing.wrapper }, path, undefined)) return true;
  }
  return (await installing.accounts.find(user))?.isOurs === true;
}

async function performAll(
  steps: readonly UninstallStep[],
  say: (line: string) => void,
): Promise<void> {
  const troubles: string[] = [];
  const kept: string[] = [];
  for (const { title, run } of steps) {
    try {
      kept.push(...(await run()));
    } catch (error) {
      troubles.push(`Could not ${title}: ${textOf(error)}`);
    }
  }
  for (const path of kept) say(`kept ${path}: it is not as an installer or the agent wrote it`);
  if (troubles.length > 0) throw new CliFailure(EXIT.failed, troubles.join("\n"));
  say("The agent is removed.");
}
