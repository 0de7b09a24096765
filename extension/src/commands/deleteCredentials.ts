import type { DeletionReport } from "@rport/protocol/report";
import { window } from "vscode";
import { count, nameSome } from "../support/text.ts";
import type { CredentialTarget } from "./target.ts";

/** Names in the question; more are counted. */
const NAMES_MAX = 5;
/** From this many clients on, a click is not enough. */
const TYPE_FROM_CLIENTS = 5;

const ROTATE = "Rotate Instead";
const DELETE = "Delete";

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
): Promise<CredentialTarget | undefined> {
  const blasts = await Promise.all(
    targets.map(async (target) => ({ target, report: await callDelete(target, "dry_run") })),
  );
  const [only] = targets.length === 1 ? targets : [];
  const inUse = blasts.some(({ report }) => report.clients.length > 0);
  const buttons = only !== undefined && inUse ? [ROTATE, DELETE] : [DELETE];
  const chosen = await window.showWarningMessage(
    question(targets),
    { modal: true, detail: consequences(blasts) },
    ...buttons,
  );
  if (chosen === ROTATE) return only;
  if (chosen === DELETE && (await confirmByTyping(blasts))) {
    for (const { target } of blasts) await callDelete(target, "force");
  }
  return undefined;
}

function callDelete({ server, credential }: CredentialTarget, how: "dry_run" | "force") {
  return server.api.call("deleteCredential", {
    params: { authId: credential.id },
    query: { [how]: "true", report: "true" },
  });
}

function question(targets: readonly CredentialTarget[]): string {
  const servers = [...new Set(targets.map(({ server }) => server.name))].join(", ");
  const [only] = targets;
  const what =
    targets.length === 1 && only !== undefined
      ? `the credential ${only.credential.id}`
      : count(targets.length, "credential");
  return `Delete ${what} on ${servers}?`;
}

function consequences(blasts: readonly Blast[]): string {
  const clients = blasts.flatMap(({ report }) => report.clients);
  const connected = clients.filter((client) => client.connected);
  const tunnels = clients.reduce((sum, client) => sum + client.tunnels, 0);
  const pairings = blasts.reduce((sum, { report }) => sum + report.pairings, 0);
  if (clients.length === 0 && pairings === 0) return "No client uses it.";
  const away = clients.length - connected.length;
  const lines = [
    connected.length === 0
      ? ""
      : `Disconnected at once: ${nameSome(
          connected.map(({ name, id }) => name || id),
          NAMES_MAX,
        )}.`,
    away === 0 ? "" : `${count(away, "offline client")} cannot come back.`,
    tunnels === 0 ? "" : `${count(tunnels, "open tunnel")} will end.`,
    pairings === 0 ? "" : `${count(pairings, "open pairing")} will be revoked.`,
    clients.length === 0
      ? ""
      : "These clients must be installed again to come back. Their records stay.\n\nDeleting protects the server from a leaked secret; rotating does the same without disconnecting anybody.",
  ];
  return lines.filter((line) => line !== "").join("\n");
}

async function confirmByTyping(blasts: readonly Blast[]): Promise<boolean> {
  const clients = blasts.reduce((sum, { report }) => sum + report.clients.length, 0);
  if (clients < TYPE_FROM_CLIENTS) return true;
  const [first] = blasts;
  const word = blasts.length === 1 && first !== undefined ? first.target.credential.id : "delete";
  const typed = await window.showInputBox({
    title: `Delete ${count(blasts.length, "credential")} used by ${count(clients, "client")}`,
    prompt: `Type ${word} to confirm`,
    ignoreFocusOut: true,
    validateInput: (value) =>
      value === "" || value === word ? undefined : `Type ${word} to confirm`,
  });
  return typed === word;
}
