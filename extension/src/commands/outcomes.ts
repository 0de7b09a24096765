import type { Refusal } from "@rport/protocol/refusal";
import type { DeletionReport } from "@rport/protocol/report";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import { outcomeSentence } from "../model/blast.ts";
import { refusalCounts } from "../model/outcome.ts";
import type { Server } from "../servers/server.ts";
import { plainText } from "../support/text.ts";
import type { Documents } from "../views/documents.ts";

/** What is to be told after something was taken away. */
export interface Deed {
  /** A sentence without its full stop: `web-fleet was deleted`. */
  readonly title: string;
  readonly isMeant: (refusal: Refusal) => boolean;
  readonly act: () => Promise<DeletionReport>;
}

/** What telling needs. */
export interface OutcomeDeps {
  readonly documents: Documents;
}

/**
 * Takes something away and tells who was cut off and who is away; a document shows, live, who still
 * tries. When nobody was hit, the views say all there is to say.
 */
export async function actAndTell(
  server: Server,
  { title, isMeant, act }: Deed,
  { documents }: OutcomeDeps,
): Promise<void> {
  const before = refusalCounts(server.mirror.maps.refusals.values());
  const report = await act();
  const sentence = outcomeSentence(report);
  if (sentence === "") return;
  const outcome = { title, atMs: server.time.nowMs, report, isMeant, before };
  const show = t("Show Who Still Tries");
  // nobody waits for the message to be closed
  void window
    .showInformationMessage(`${plainText(title)}: ${sentence}.`, show)
    .then((chosen) => (chosen === show ? documents.showOutcome(server.key, outcome) : undefined));
}
