import { t } from "@vscode/l10n";
import { window } from "vscode";
import { isExposed } from "../../model/tunnels/localHost.ts";
import { chosenBindAddress } from "../../tunnels/tunnelSettings.ts";

/** Addresses that were said yes to in this window. */
const accepted = new Set<string>();

/**
 * Asks once for each address whether tunnels are to be open to other computers, where the person's setting has them
 * listen there. Throws why they cannot listen.
 */
export async function mayBeExposed(): Promise<boolean> {
  const address = chosenBindAddress();
  if (!isExposed(address) || accepted.has(address)) return true;
  const open = t("Open Tunnel");
  const answer = await window.showWarningMessage(
    t("Other computers will reach this tunnel, at {0}.", address),
    { modal: true, detail: DETAIL },
    open,
  );
  if (answer === open) accepted.add(address);
  return answer === open;
}

const DETAIL = t(
  "The setting rport.tunnels.bindAddress has tunnels listen there instead of on 127.0.0.1. Whoever connects reaches the other end without any sign-in of RPort, in your name. You are asked once for each address.",
);
