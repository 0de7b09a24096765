import type { EndpointFile } from "@rport/protocol/endpointFile";
import { t } from "@vscode/l10n";
import { ProgressLocation, window } from "vscode";
import { endingLines } from "../../model/localBackendText.ts";
import { dataDirOf, LOCAL_URL } from "../../servers/config.ts";
import type { Server } from "../../servers/server.ts";
import { plainText } from "../../support/text.ts";
import { confirm } from "../confirm.ts";
import type { CommandInput } from "../registry.ts";
import { chooseListening, listeningLines } from "./chooseListening.ts";
import type { LocalCommandsDeps } from "./localDeps.ts";
import { startLocal } from "./startLocal.ts";

interface RunningLocal {
  readonly server: Server;
  readonly endpoint: EndpointFile;
}

/** Ends a backend of this computer, after a question that names what ends with it. */
export async function stopLocal(input: CommandInput, deps: LocalCommandsDeps): Promise<void> {
  const found = await runningOf(input, t("Stop which local backend?"), deps);
  if (found === undefined) return;
  const lines = endingOf(found, deps);
  const question = t("Stop {0}?", plainText(found.server.name));
  if ((await confirm({ question, lines, button: t("Stop") })) !== "act") return;
  await end(found, deps);
}

/** Ends the backend that the editor started, and starts the one that the extension has now. */
export async function restartLocal(input: CommandInput, deps: LocalCommandsDeps): Promise<void> {
  const found = await oursOf(input, deps);
  if (found === undefined) return;
  const lines = endingOf(found, deps);
  const question = t("Restart {0}?", plainText(found.server.name));
  if ((await confirm({ question, lines, button: t("Restart") })) !== "act") return;
  await again(found, deps);
}

/** Asks for the address that agents reach, and starts the backend again where it runs. */
export async function chooseLocalAddress(
  input: CommandInput,
  deps: LocalCommandsDeps,
): Promise<void> {
  const { listening } = deps;
  const found = await oursOf(input, deps);
  if (found === undefined) return;
  const port = Number(new URL(found.endpoint.url).port);
  const chosen = await chooseListening(listening.chosen, port);
  if (chosen === undefined) return;
  const lines = [...listeningLines(chosen, port), ...endingOf(found, deps)];
  const question = t("Restart {0} at {1}?", plainText(found.server.name), chosen.host);
  if ((await confirm({ question, lines, button: t("Restart") })) !== "act") return;
  await listening.choose(chosen);
  await again(found, deps);
}

async function again(found: RunningLocal, deps: LocalCommandsDeps): Promise<void> {
  await end(found, deps);
  await startLocal(deps);
}

async function end({ endpoint }: RunningLocal, { local }: LocalCommandsDeps): Promise<void> {
  const options = { location: ProgressLocation.Window, title: t("Stopping the local backend") };
  await window.withProgress(options, () => local.stop(endpoint));
}

/** A local backend that runs; says so where none does. */
async function runningOf(
  input: CommandInput,
  title: string,
  { targets, local }: LocalCommandsDeps,
): Promise<RunningLocal | undefined> {
  const server = await targets.server(input, title, ({ isLocal }) => isLocal);
  if (server === undefined) return undefined;
  const endpoint = await local.running(dataDirOf(server.key));
  if (endpoint !== undefined) return { server, endpoint };
  void window.showInformationMessage(t("{0} is not running.", plainText(server.name)));
  return undefined;
}

/** The one that the editor has started; says so where another way of starting it was used. */
async function oursOf(
  input: CommandInput,
  deps: LocalCommandsDeps,
): Promise<RunningLocal | undefined> {
  const found = await runningOf(input, t("Restart which local backend?"), deps);
  if (found === undefined || isOurs(found)) return found;
  void window.showInformationMessage(
    t(
      "{0} was not started by the editor. What started it has to do this.",
      plainText(found.server.name),
    ),
  );
  return undefined;
}

function isOurs({ server, endpoint }: RunningLocal): boolean {
  return server.key === LOCAL_URL && endpoint.installation === "editor";
}

function endingOf(found: RunningLocal, { fleet }: LocalCommandsDeps): readonly string[] {
  const { server } = found;
  const { clients, mirror } = server;
  const online = clients.withStatus("online").map((id) => mirror.maps.clients.get(id)?.name || id);
  const tunnels = fleet.tunnels.all.filter(({ serverKey }) => serverKey === server.key).length;
  return endingLines({ online, tunnels, isOurs: isOurs(found) });
}
