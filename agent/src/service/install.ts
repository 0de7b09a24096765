import { lstat, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readSmallFile } from "@rport/protocol/local/smallFile";
import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import { CONFIG_MAX_BYTES } from "../config/config.ts";
import type { Enrolled } from "../enroll/enroll.ts";
import type { Reporter } from "../enroll/report.ts";
import type { Account } from "../machine/account.ts";
import type { Place } from "../machine/place.ts";
import type { Installing } from "../machine/platform.ts";
import type { Programs } from "../machine/programs.ts";
import type { Service, Supervisor } from "../machine/supervisor.ts";
import { Undo } from "../machine/undo.ts";
import type { Clock } from "../platform/clock.ts";
import { textOf } from "../platform/errorText.ts";
import type { InstallStep } from "./change.ts";
import { type Installation, inspect, whyOffline } from "./installation.ts";
import { installSteps } from "./installSteps.ts";
import { isOwnedBy } from "./keptConfig.ts";
import { provenanceOf } from "./provenance.ts";
import type { Receipt } from "./receipt.ts";
import { terminalCommands } from "./removal.ts";
import { configured, isToldToConfig, meaning, type Terminals } from "./terminals.ts";
import { workFoldersIn } from "./workFolders.ts";

/** How long an agent that was put back may take to connect. */
const BACK_ONLINE_MS = 30_000;

/** What a person asked for. */
export interface InstallRequest {
  /** The pairing service: `http(s)://host[:port][/path]`. */
  readonly server: string;
  /** Become a new host: with another id, and another key. */
  readonly isNewId: boolean;
  /** Enrol anew although this host is enrolled and connected. */
  readonly isForced: boolean;
  readonly isStarted: boolean;
  readonly terminals: Terminals;
  /** Say what would be done, and do nothing. */
  readonly isDryRun: boolean;
}

/** What installing needs of the machine. */
export interface InstallDeps {
  /** Its account is made if need be. */
  readonly place: Place;
  readonly installing: Pick<
    Installing,
    "accounts" | "rights" | "wrapper" | "locksPrograms" | "whyNotAt"
  >;
  readonly programs: Programs;
  readonly clock: Clock;
  /** What keeps the agent running; without an account it can be asked, but starts nothing. */
  supervisor(account: Account | undefined): Supervisor;
  /** RPort's own client, whose place is taken; undefined: there is none. */
  readonly predecessor: Pick<Service, "takeOver" | "title" | "wayBack"> | undefined;
  /** Spends the token and writes a configuration there; undefined when no token was given. */
  readonly enroll: ((file: string) => Promise<Enrolled>) | undefined;
  /** A private directory that the caller removes. */
  readonly temporary: string;
  /** One line for the person at the terminal. */
  say(line: string): void;
  /** Fires when the person wants to stop; then everything is taken back. */
  readonly signal: AbortSignal;
}

/**
 * Installs the agent, or brings an installation up to date, and waits until it is connected. A
 * second call with the same request changes nothing. Rejects with a `CliFailure`; then whatever
 * this call changed has been taken back, and an agent that ran before runs again.
 */
export async function install(request: InstallRequest, deps: InstallDeps): Promise<void> {
  const { place, installing, clock, say } = deps;
  const { receipt: path } = place.layout;
  const worked = path === undefined ? [] : await workFoldersIn(dirname(path));
  const receipt = await usableReceipt(deps, worked);
  const found = await inspect(place, request.server, { wrapper: installing.wrapper, clock });
  const isKept = keepsEnrolment(request, deps, found);
  if (isKept && (await isUpToDate(request, deps, found))) {
    say(`This host is already enrolled at ${request.server}, and its agent is up to date.`);
    await tellTerminals(request, deps);
    return;
  }
  const telling: Telling = { report: NOBODY_ASKED };
  const steps = installSteps({
    place,
    installing,
    programs: deps.programs,
    clock,
    found,
    receipt,
    // Where programs may not be started from /tmp, the installer works in the prefix itself.
    leftovers: worked.filter((folder) => !deps.temporary.startsWith(join(folder, "/"))),
    isEnrolled: !isKept,
    isNewId: request.isNewId,
    terminals: request.terminals,
    predecessor: deps.predecessor,
    server: request.server,
    say,
    enrol: async (before) => {
      const { config, report } = await enrolAside(deps, before);
      telling.report = report;
      return config;
    },
    isStarted: request.isStarted,
    signal: deps.signal,
    supervisor: (account) => deps.supervisor(account),
  });
  if (request.isDryRun) {
    for (const { title } of steps) say(`would ${title}`);
    return;
  }
  await perform(steps, deps, { found, telling });
  say(request.isStarted ? "The agent is installed and connected." : "The agent is installed.");
  if (deps.predecessor !== undefined) {
    say("RPort's own client is stopped; its settings are kept. To bring it back, uninstall.");
  }
  for (const line of await deps.supervisor(undefined).caveats()) say(line);
  await tellTerminals(request, deps);
}

async function tellTerminals(
  { terminals, server }: InstallRequest,
  { place, say }: InstallDeps,
): Promise<void> {
  // What cannot be read says nothing, and what was installed is.
  const config = await readConfig(place).catch(() => "");
  const commands = terminalCommands(place, server);
  for (const line of meaning(place, terminals, { server, config, commands })) say(line);
}

/**
 * A directory that belongs to something else is not filled with an agent, whatever receipt it has.
 * The answer is what an earlier installation of ours wrote down there.
 */
async function usableReceipt(
  { place, installing }: InstallDeps,
  worked: readonly string[],
): Promise<Receipt | undefined> {
  const { layout } = place;
  const provenance = await provenanceOf(layout, installing.wrapper);
  if (provenance.kind === "ours") return provenance.receipt;
  const prefix = dirname(layout.receipt ?? "");
  const names = await readdir(prefix).catch(() => []);
  if (names.every((name) => worked.includes(join(prefix, name)))) return undefined;
  const sentence = `${prefix} is not empty and holds no agent. Choose a directory of its own.`;
  throw new CliFailure(EXIT.usage, sentence);
}

function keepsEnrolment(
  { isForced, isDryRun, server }: InstallRequest,
  { enroll }: InstallDeps,
  found: Installation,
): boolean {
  const isFine = found.isEnrolledHere && (found.isOnline || enroll === undefined);
  if (isFine && !isForced) return true;
  if (enroll !== undefined || isDryRun) return false;
  throw new CliFailure(EXIT.usage, `A pairing token is needed to enrol at ${server}.`);
}

async function isUpToDate(
  { isStarted, terminals }: InstallRequest,
  deps: InstallDeps,
  found: Installation,
): Promise<boolean> {
  if (!found.isProgramCurrent || (isStarted && !found.isOnline)) return false;
  if (isToldToConfig(terminals)) {
    const config = await readConfig(deps.place);
    if (configured(config, terminals) !== config) return false;
  }
  return !(await isOthers(deps)) && (await deps.supervisor(undefined).isCurrent());
}

/** Whether the agent has run as another account until now: its configuration belongs to whoever runs it. */
async function isOthers({ place, installing }: InstallDeps): Promise<boolean> {
  const account = place.user === undefined ? undefined : await installing.accounts.find(place.user);
  const stats = await lstat(place.layout.config).catch(() => undefined);
  return stats !== undefined && !isOwnedBy(stats, account?.owner);
}

function readConfig({ layout }: Place): Promise<string> {
  return readSmallFile(layout.config, CONFIG_MAX_BYTES, { followsNoLink: true });
}

/** What enrolling gave, before anything is placed. */
interface Aside {
  /** The text of the new configuration. */
  readonly config: string;
  readonly report: Reporter;
}

/** Who is told how it goes on; nobody, before there was a claim. */
interface Telling {
  report: Reporter;
}

const NOBODY_ASKED: Reporter = async () => undefined;

/**
 * Enrols into a private copy of the configuration, so that a refusal leaves the host as it is, and
 * no link that the agent's account may have planted is ever followed. The text holds the
 * host's secret.
 */
async function enrolAside(
  { enroll, temporary, say }: InstallDeps,
  before: string | undefined,
): Promise<Aside> {
  if (enroll === undefined) throw new Error("enrolling needs a token");
  const aside = join(temporary, "rport.conf");
  if (before !== undefined) await writeFile(aside, before, { mode: 0o600 });
  const { authId, clientId, report } = await enroll(aside);
  say(`enrolled as ${authId}, client ${clientId}`);
  const config = await readFile(aside, "utf8");
  // Whoever is killed from now on leaves no secret in a temporary directory.
  await rm(aside);
  return { config, report };
}

async function perform(
  steps: readonly InstallStep[],
  deps: InstallDeps,
  { found: before, telling }: { readonly found: Installation; readonly telling: Telling },
): Promise<void> {
  const undo = new Undo();
  let at = "";
  try {
    for (const step of steps) {
      at = step.title;
      if (deps.signal.aborted) throw new CliFailure(EXIT.failed, "Interrupted.");
      if (step.isStart === true) await telling.report({ kind: "installed" });
      await step.run(undo);
    }
    if (!steps.some(({ isStart }) => isStart === true)) await telling.report({ kind: "installed" });
    await undo.forget();
  } catch (error) {
    const [text = ""] = textOf(error).split("\n");
    await telling.report({ kind: "failed", step: at, text });
    deps.say("Taking back what was changed.");
    const troubles = await undo.run();
    const left = troubles.map((trouble) => `\nThis could not be taken back: ${trouble}`).join("");
    const exitCode = error instanceof CliFailure ? error.exitCode : EXIT.failed;
    throw new CliFailure(exitCode, `${textOf(error)}${left}${await howItIs(deps, before)}`);
  }
}

/** What became of an agent that was connected before. */
async function howItIs({ place, clock }: InstallDeps, before: Installation): Promise<string> {
  if (!before.isOnline) return "";
  const trouble = await whyOffline(place.layout, clock, BACK_ONLINE_MS);
  if (trouble === undefined) return "\nThe old version runs again, and is connected.";
  return `\nThe old version was put back, but is not connected: ${trouble}`;
}
