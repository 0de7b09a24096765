import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import type { Fleet, FleetChange } from "../servers/fleet.ts";
import { hasChanged } from "../servers/recognised.ts";
import { type Door, serverGone } from "./door.ts";

/** Cuts what the door carries to a server that is not configured any more, was signed out of, or has another key. */
export function shutWith(
  change: FleetChange,
  fleet: Pick<Fleet, "get">,
  door: Pick<Door, "cut">,
): void {
  if (change.kind === "servers") {
    const isGone = (serverKey: string) => fleet.get(serverKey) === undefined;
    door.cut(isGone, serverGone());
  }
  if (change.kind !== "server" || change.change.kind !== "state") return;
  const { server } = change;
  const isIts = (serverKey: string) => serverKey === server.key;
  const { kind } = server.state;
  if (kind === "changed") door.cut(isIts, new RportError("UNAVAILABLE", hasChanged(server)));
  if (kind === "signedOut") {
    door.cut(isIts, new RportError("UNAUTHORIZED", t("You are not signed in.")));
  }
}
