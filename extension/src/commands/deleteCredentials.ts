import type { DeletionReport } from "@rport/protocol/report";
import { t } from "@vscode/l10n";
import { window } from "vscode";
import { blastLines, isHarmless, sumReports } from "../model/blast.ts";
import type { CredentialTarget } from "../servers/entities.ts";
import { plural } from "../support/plural.ts";
import { confirm, serversOf } from "./confirm.ts";
import { inTurn } from "./inTurn.ts";
import { actAndTell, type Deed, type OutcomeDeps } from "./outcomes.ts";

/** From this many clients on, a click is not enough. */
const TYPE_FROM_CLIENTS = 5;

interface Blast {
  readonly target: CredentialTarget;
  readonly report: DeletionReport;
}

/**
 * Deletes credentials after saying what that will hit. Answers the credential that somebody would
 * rather rotate; else undefined, whether they were deleted or not.
 */
export async function deleteCredentials(
  targets: readonly CredentialTarget[],
  deps: OutcomeDeps,
): Promise<CredentialTarget | undefined> {
  const blasts = await Promise.all(
    targets.map(async (target) => ({ target, report: await callDelete(target, "dry_run") })),
  );
  const [only] = targets.length === 1 ? targets : [];
  const inUse = blasts.some(({ report }) => report.clients.length > 0);
  const answer = await confirm({
    question: question(targets),
    lines: consequences(blasts),
    button:
      targets.length === 1 ? t("Delete Credential") : t("Delete {0} Credentials", targets.length),
    instead: only !== undefined && inUse ? t("Rotate Instead") : undefined,
  });
  if (answer === "instead") return only;
  if (answer !== "act" || !(await confirmByTyping(blasts))) return undefined;
  await inTurn(targets, {
    nameOf: ({ credential }) => credential.id,
    act: (target) => actAndTell(target.server, deletionOf(target), deps),
  });
  return undefined;
}

function deletionOf(target: CredentialTarget): Deed {
  const { id } = target.credential;
  return {
    title: t("{0} was deleted", id),
    isMeant: ({ reason, auth_id: of }) => reason === "revoked-credential" && of === id,
    act: () => callDelete(target, "force"),
  };
}

function callDelete({ server, credential }: CredentialTarget, how: "dry_run" | "force") {
  return server.api.call("deleteCredential", {
    params: { authId: credential.id },
    query: { [how]: "true", report: "true" },
  });
}

function question(targets: readonly CredentialTarget[]): string {
  const [only] = targets;
  return targets.length === 1 && only !== undefined
    ? t("Delete the credential {0} on {1}?", only.credential.id, serversOf(targets))
    : t("Delete {0} credentials on {1}?", targets.length, serversOf(targets));
}

function consequences(blasts: readonly Blast[]): readonly string[] {
  const hit = sumReports(blasts.map(({ report }) => report));
  if (isHarmless(hit)) return [t("No client uses it.")];
  const advice = plural(
    hit.clients.length,
    t(
      "This client must be installed again to come back. Its record stays.\n\nDeleting protects the server from a leaked secret; rotating does the same without disconnecting anybody.",
    ),
    t(
      "These clients must be installed again to come back. Their records stay.\n\nDeleting protects the server from a leaked secret; rotating does the same without disconnecting anybody.",
    ),
  );
  return [...blastLines(hit), hit.clients.length === 0 ? "" : advice];
}

async function confirmByTyping(blasts: readonly Blast[]): Promise<boolean> {
  const clients = blasts.reduce((sum, { report }) => sum + report.clients.length, 0);
  if (clients < TYPE_FROM_CLIENTS) return true;
  const [first] = blasts;
  const word =
    blasts.length === 1 && first !== undefined ? first.target.credential.id : t("delete");
  const typed = await window.showInputBox({
    title: plural(
      blasts.length,
      t("Delete {0} credential used by {1} clients", blasts.length, clients),
      t("Delete {0} credentials used by {1} clients", blasts.length, clients),
    ),
    prompt: t("Type {0} to confirm", word),
    ignoreFocusOut: true,
    validateInput: (value) =>
      value === "" || value === word ? undefined : t("Type {0} to confirm", word),
  });
  return typed === word;
}
