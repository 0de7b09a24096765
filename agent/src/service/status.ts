import { userInfo } from "node:os";
import { EXIT, type ExitCode } from "../cli/cliFailure.ts";
import type { AgentConfig } from "../config/config.ts";
import { loadConfig } from "../config/loadConfig.ts";
import type { Place } from "../machine/place.ts";
import { isPresent } from "../machine/placing.ts";
import type { Installing } from "../machine/platform.ts";
import type { Supervisor } from "../machine/supervisor.ts";
import type { Clock } from "../platform/clock.ts";
import { readState, stateFileIn } from "../state/stateFile.ts";
import { isProcessAlive } from "../state/waitOnline.ts";
import type { TerminalsNow } from "../terminal/terminals.ts";
import { whyOffline } from "./installation.ts";
import { provenanceOf } from "./provenance.ts";
import { terminalCommands } from "./removal.ts";

/** What asking for the status needs of the machine. */
export interface StatusDeps {
  readonly place: Place;
  readonly installing: Pick<Installing, "accounts" | "wrapper">;
  readonly supervisors: readonly Supervisor[];
  readonly clock: Clock;
  say(line: string): void;
}

/** Tells in a few lines how the agent is. Status 0: connected; 1: not installed; 8: neither. */
export async function tellStatus(deps: StatusDeps): Promise<ExitCode> {
  const { place, installing, supervisors, clock, say } = deps;
  const { layout } = place;
  const isOurs = (await provenanceOf(layout, installing.wrapper)).kind === "ours";
  if (!isOurs || !(await isPresent(layout.program))) {
    say("The agent is not installed.");
    return EXIT.failed;
  }
  const config = await loadConfig(layout.config).catch(() => undefined);
  const [server = "no server"] = config?.servers ?? [];
  say(`program:        ${layout.program}`);
  say(`configuration:  ${layout.config} (${server})`);
  for (const supervisor of supervisors) {
    if (!(await supervisor.isInstalled())) continue;
    say(`kept up by:     ${supervisor.title}, ${(await supervisor.isRunning()) ? "up" : "down"}`);
  }
  say(`terminals:      ${await aboutTerminals(deps, config)}`);
  const trouble = await whyOffline(layout, clock, 0);
  say(`connection:     ${trouble ?? "connected"}`);
  return trouble === undefined ? EXIT.ok : EXIT.offline;
}

/** What the agent that runs says of its terminals, else what its configuration does, and how to allow them. */
async function aboutTerminals(
  { place, installing }: StatusDeps,
  config: AgentConfig | undefined,
): Promise<string> {
  const { layout } = place;
  const state = await readState(stateFileIn(config?.dataDir || layout.dataDir));
  const now = state && isProcessAlive(state.pid) ? state.terminals : undefined;
  const isAllowed = config?.terminal.isAllowed;
  if (now !== undefined && now.offer.state !== "off") return running(now, isAllowed !== false);
  if (isAllowed === undefined) return `not known: ${layout.config} cannot be read`;
  if (isAllowed) return "allowed, once the agent is started again";
  return `not allowed; to allow them: ${await howToAllow({ place, installing }, config)}`;
}

function running({ offer, open }: TerminalsNow, staysAllowed: boolean): string {
  if (offer.state === "accounts") return "allowed, as accounts of which none is on this host";
  if (offer.state !== "on") return "allowed, and cannot be opened; the agent's log says why";
  const until = staysAllowed ? "" : ", until the agent is started again";
  return `allowed as ${offer.accounts.join(", ")}${until}; ${open} open`;
}

/** An installation opens the service, too, where it can. */
async function howToAllow(
  { place, installing }: Pick<StatusDeps, "place" | "installing">,
  config: AgentConfig | undefined,
): Promise<string> {
  const { layout } = place;
  const account = layout.kind === "prefix" ? userInfo().username : "root";
  const whyNot = await installing.accounts.whyNoTerminal(account);
  const [server] = config?.servers ?? [];
  if (whyNot === undefined && server !== undefined) {
    // As people write it, and have it from the sheet.
    const address = new URL(server.replace(/^ws/, "http")).href;
    return terminalCommands(place, address).allow;
  }
  return `enabled = true below [terminal] of ${layout.config}`;
}
