import { isOlder, VERSION } from "@rport/protocol/version";
import { t } from "@vscode/l10n";
import { commands, window } from "vscode";
import { COMMANDS } from "../../manifest.ts";
import { LOCAL_URL } from "../../servers/config.ts";
import type { Fleet, FleetChange } from "../../servers/fleet.ts";
import type { LocalBackend } from "../../servers/localBackend/localBackend.ts";
import type { Unsubscribe } from "../../support/listeners.ts";
import { plainText } from "../../support/text.ts";

const RESTART = t("Restart...");

/**
 * Says once that the local backend runs from an older extension than this one, whose own is started by a
 * restart. One that was started in another way is left to whoever started it.
 */
export class UpdateNotice {
  readonly #local: LocalBackend;
  readonly #unsubscribe: Unsubscribe;
  /** The process that was spoken of. */
  #toldPid: number | undefined;

  constructor(fleet: Fleet, local: LocalBackend) {
    this.#local = local;
    this.#unsubscribe = fleet.changed.add((event) => void this.#look(event));
  }

  /** Says nothing any more. */
  dispose(): void {
    this.#unsubscribe();
  }

  async #look(event: FleetChange): Promise<void> {
    if (event.kind !== "server" || event.change.kind !== "state") return;
    const { key, state, mirror } = event.server;
    const version = mirror.status?.version ?? "";
    if (key !== LOCAL_URL || state.kind !== "connected" || !isOlder(version, VERSION)) return;
    const endpoint = await this.#local.running();
    if (endpoint?.installation !== "editor" || endpoint.pid === this.#toldPid) return;
    this.#toldPid = endpoint.pid;
    const chosen = await window.showInformationMessage(
      plainText(
        t("The local backend is version {0}; the extension brings {1} along.", version, VERSION),
      ),
      RESTART,
    );
    if (chosen === RESTART) await commands.executeCommand(COMMANDS.restartLocalBackend);
  }
}
