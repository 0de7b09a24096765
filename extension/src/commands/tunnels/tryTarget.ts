import { type ErrorCode, RportError } from "@rport/protocol/errors";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { ProgressLocation, window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { placeName, unreachableText } from "../../model/tunnels/unreachable.ts";
import type { ClientTarget } from "../../servers/entities.ts";

/** What is done about a target: it answers, or a tunnel is opened nevertheless, another one chosen, or nothing. */
export type Decision = "answers" | "open" | "another" | "nothing";

/** With these no tunnel can work, so none is opened. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  "TARGET_NOT_ALLOWED",
  "CLIENT_OFFLINE",
  "FORBIDDEN",
  "UNAUTHORIZED",
]);

/**
 * Has the host try a target before a tunnel leads there, and asks when nothing answers. Where it cannot be
 * tried (another agent, an older server), the tunnel is opened. Throws why no tunnel can lead there.
 */
export async function tryTarget(
  { server, client }: ClientTarget,
  remote: HostPort,
): Promise<Decision> {
  const place = placeName(displayName(client), remote);
  const call = { params: { clientId: client.id }, body: { remote: formatHostPort(remote) } };
  const progress = { location: ProgressLocation.Window, title: t("Trying {0}", place) };
  try {
    await window.withProgress(progress, () => server.api.call("tryTarget", call));
    return "answers";
  } catch (error) {
    const { code, detail } = RportError.from(error);
    if (FINAL.has(code)) throw error;
    return code === "ERR_CODE_REMOTE_PORT_NOT_OPEN" ? await ask(place, detail) : "open";
  }
}

async function ask(place: string, words: string): Promise<Decision> {
  const openIt = t("Open Anyway");
  const another = t("Choose Another");
  const detail = t("A tunnel answers as soon as something does there.");
  const options = { modal: true, detail };
  const question = unreachableText(place, words);
  const answer = await window.showWarningMessage(question, options, openIt, another);
  if (answer === openIt) return "open";
  return answer === another ? "another" : "nothing";
}
