import { t } from "@vscode/l10n";
import { commands, window } from "vscode";
import { VIEWS } from "../../manifest.ts";
import { doubtSentence } from "../../model/joinDoubt.ts";
import { joinName } from "../../model/rows/joinRow.ts";
import type { JoinTarget } from "../../servers/entities.ts";
import type { Fleet } from "../../servers/fleet.ts";
import { describeError } from "../../support/describeError.ts";
import type { Unsubscribe } from "../../support/listeners.ts";
import { plainText } from "../../support/text.ts";
import { decideJoin } from "../joins.ts";

const APPROVE = t("Approve");
const DENY = t("Deny");
const SHOW = t("Show");

/**
 * Tells once of clients that have come to wait, in the window that somebody looks at. While a
 * message is open there is no second one, whatever comes: the view counts them all.
 */
export class JoinNotices {
  readonly #unsubscribe: Unsubscribe;
  #isOpen = false;

  constructor(fleet: Fleet) {
    this.#unsubscribe = fleet.changed.add((event) => {
      if (event.kind !== "server" || event.change.kind !== "changed") return;
      const { server } = event;
      const come = event.change.changes.flatMap(({ change }) =>
        change.entity === "join" && change.before === undefined && change.after !== undefined
          ? [{ server, join: change.after }]
          : [],
      );
      if (come.length > 0) void this.#tell(come);
    });
  }

  /** Tells of nobody any more. */
  dispose(): void {
    this.#unsubscribe();
  }

  async #tell(come: readonly JoinTarget[]): Promise<void> {
    if (this.#isOpen || !window.state.focused) return;
    this.#isOpen = true;
    try {
      await this.#ask(come);
    } catch (error) {
      void window.showErrorMessage(describeError(error));
    } finally {
      this.#isOpen = false;
    }
  }

  async #ask(come: readonly JoinTarget[]): Promise<void> {
    const [first] = come;
    if (first === undefined) return;
    if (come.length > 1) {
      const chosen = await window.showInformationMessage(
        t("{0} clients wait to join.", come.length),
        SHOW,
      );
      if (chosen === SHOW) await commands.executeCommand(`${VIEWS.credentials}.focus`);
      return;
    }
    const { join } = first;
    const who = `${plainText(joinName(join))} (${plainText(join.address)})`;
    const text = t("{0} waits to join with {1}.", who, plainText(join.credential_id));
    const doubt = plainText(doubtSentence(join));
    const chosen =
      doubt === ""
        ? await window.showInformationMessage(text, APPROVE, DENY)
        : await window.showWarningMessage(`${text} ${doubt}`, APPROVE, DENY);
    if (chosen === APPROVE) await decideJoin(first, "approveJoin");
    if (chosen === DENY) await decideJoin(first, "denyJoin");
  }
}
