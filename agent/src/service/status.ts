import { EXIT, type ExitCode } from "../cli/cliFailure.ts";
import type { Layout } from "../machine/layout.ts";
import { isPresent } from "../machine/placing.ts";
import type { Wrapper } from "../machine/platform.ts";
import type { Supervisor } from "../machine/supervisor.ts";
import type { Clock } from "../platform/clock.ts";
import { configuredServers, whyOffline } from "./installation.ts";
import { provenanceOf } from "./provenance.ts";

/** What asking for the status needs of the machine. */
export interface StatusDeps {
  readonly layout: Layout;
  readonly wrapper: Wrapper;
  readonly supervisors: readonly Supervisor[];
  readonly clock: Clock;
  say(line: string): void;
}

/** Tells in a few lines how the agent is. Status 0: connected; 1: not installed; 8: neither. */
export async function tellStatus(deps: StatusDeps): Promise<ExitCode> {
  const { layout, wrapper, supervisors, clock, say } = deps;
  const isOurs = (await provenanceOf(layout, wrapper)).kind === "ours";
  if (!isOurs || !(await isPresent(layout.program))) {
    say("The agent is not installed.");
    return EXIT.failed;
  }
  const [server = "no server"] = await configuredServers(layout.config);
  say(`program:        ${layout.program}`);
  say(`configuration:  ${layout.config} (${server})`);
  for (const supervisor of supervisors) {
    if (!(await supervisor.isInstalled())) continue;
    say(`kept up by:     ${supervisor.title}, ${(await supervisor.isRunning()) ? "up" : "down"}`);
  }
  const trouble = await whyOffline(layout, clock, 0);
  say(`connection:     ${trouble ?? "connected"}`);
  return trouble === undefined ? EXIT.ok : EXIT.offline;
}
