import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { isNear, type Listening, nearListening } from "../../servers/localBackend/listening.ts";
import { cardAddresses } from "../../support/cardAddresses.ts";
import { plainText } from "../../support/text.ts";

interface ListeningItem extends QuickPickItem {
  readonly listening: Listening;
}

/** Asks where the local backend is to listen; undefined: as it does. */
export async function chooseListening(
  now: Listening | undefined,
  port: number,
): Promise<Listening | undefined> {
  const host = now?.host ?? nearListening(port).host;
  const near: ListeningItem = {
    label: t("Only this computer"),
    description: withNow("127.0.0.1", host === "127.0.0.1"),
    detail: t("No other host gets through, so agents can be installed on this computer only."),
    listening: nearListening(port),
  };
  const cards = cardAddresses().map(
    ({ card, address }): ListeningItem => ({
      label: plainText(address),
      description: withNow(plainText(card), host === address),
      detail: t(
        "Hosts that reach it may sign in as agents. What people do stays on this computer.",
      ),
      listening: { host: address, port },
    }),
  );
  const chosen = await window.showQuickPick([near, ...cards], {
    title: t("Choose Address of Local Backend"),
    placeHolder: t("Where may agents reach it?"),
    matchOnDescription: true,
  });
  return chosen === undefined || chosen.listening.host === host ? undefined : chosen.listening;
}

function withNow(text: string, isNow: boolean): string {
  return isNow ? t("{0}, as now", text) : text;
}

/** What a change of the address means for the hosts that are there, as sentences. */
export function listeningLines(chosen: Listening, port: number): readonly string[] {
  const reach = isNear(chosen)
    ? t("Hosts elsewhere do not reach it any more.")
    : t(
        "Hosts are told {0}, port {1}, from now on. Those that were told 127.0.0.1, on this computer, have to be installed again.",
        chosen.host,
        port,
      );
  const firewall = isNear(chosen)
    ? ""
    : t("A firewall of this computer has to let that port through.");
  return [reach, firewall].filter((line) => line !== "");
}
