import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { t } from "@vscode/l10n";
import { ProgressLocation, window } from "vscode";
import { lastLines, startReason } from "../../model/localBackendText.ts";
import { LOCAL_URL, localConfig } from "../../servers/config.ts";
import { isNear, nearListening } from "../../servers/localBackend/listening.ts";
import type { Start } from "../../servers/localBackend/localBackend.ts";
import { plainText } from "../../support/text.ts";
import { chooseListening } from "./chooseListening.ts";
import type { LocalCommandsDeps } from "./localDeps.ts";

const OTHER_PORT = t("Use Another Port");
const OTHER_ADDRESS = t("Choose Address...");
const SHOW_LOG = t("Show Log");

/** Starts the backend that comes with the extension, unless it runs, and shows its clients. */
export async function startLocal(deps: LocalCommandsDeps): Promise<void> {
  const { local, settings, fleet } = deps;
  const options = { location: ProgressLocation.Window, title: t("Starting the local backend") };
  const start = await window.withProgress(options, () => local.start());
  if (start.kind === "failed") {
    await tellFailure(start, deps);
    return;
  }
  const config = localConfig("", LOCAL_URL);
  if (config !== undefined) await settings.add(config);
  fleet.get(LOCAL_URL)?.retryNow();
}

async function tellFailure(
  { output, isPortTaken }: Extract<Start, { kind: "failed" }>,
  deps: LocalCommandsDeps,
): Promise<void> {
  const { log, redactor, listening, showLog } = deps;
  const lines = lastLines(output, (text) => redactor.clean(text));
  for (const line of lines) log.error("the local backend did not start", { line });
  const { chosen } = listening;
  const buttons = [
    ...(isPortTaken ? [OTHER_PORT] : []),
    ...(chosen === undefined || isNear(chosen) ? [] : [OTHER_ADDRESS]),
    SHOW_LOG,
  ];
  const message = t("The local backend did not start. {0}", startReason(lines));
  const button = await window.showErrorMessage(plainText(message), ...buttons);
  if (button === SHOW_LOG) showLog();
  if (button === OTHER_PORT) {
    const port = await freePort();
    await listening.choose(chosen === undefined ? nearListening(port) : { ...chosen, port });
    await startLocal(deps);
  }
  if (button === OTHER_ADDRESS && chosen !== undefined) {
    const other = await chooseListening(chosen, chosen.port);
    if (other === undefined) return;
    await listening.choose(other);
    await startLocal(deps);
  }
}

/** A port that nobody has now, and that is kept from then on: hosts are told it. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
