import { type ErrorCode, RportError } from "@rport/protocol/errors";
import { formatHostPort, type HostPort } from "@rport/protocol/remote";
import { t } from "@vscode/l10n";
import { ProgressLocation, window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { placeName, unreachableText } from "../../model/tunnels/unreachable.ts";
import type { ClientTarget } from "../../servers/entities.ts";

/** What came of trying a target; `notTried`: its agent or its server cannot. */
export type Trial =
  | { readonly kind: "answers" }
  | { readonly kind: "notTried" }
  /** Nothing answers there, and why, as a sentence. */
  | { readonly kind: "unanswered"; readonly why: string };

/** With these no tunnel can work, so none is opened. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  "TARGET_NOT_ALLOWED",
  "CLIENT_OFFLINE",
  "FORBIDDEN",
  "UNAUTHORIZED",
]);

/** Has the host try a target before a tunnel leads there. Throws why no tunnel can lead there. */
export async function tryTarget(
  { server, client }: ClientTarget,
  remote: HostPort,
): Promise<Trial> {
  const place = placeName(displayName(client), remote);
  const call = { params: { clientId: client.id }, body: { remote: formatHostPort(remote) } };
  const progress = { location: ProgressLocation.Window, title: t("Trying {0}", place) };
  try {
    await window.withProgress(progress, () => server.api.call("tryTarget", call));
    return { kind: "answers" };
  } catch (error) {
    const { code, detail } = RportError.from(error);
    if (FINAL.has(code)) throw error;
    if (code !== "ERR_CODE_REMOTE_PORT_NOT_OPEN") return { kind: "notTried" };
    return { kind: "unanswered", why: unreachableText(place, detail) };
  }
}
