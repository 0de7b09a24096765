import type { Socket } from "node:net";
import { t } from "@vscode/l10n";
import type { Clock } from "../../support/clock.ts";
import type { Log } from "../../support/log.ts";
import { type MeetingPlace, meetKeeper } from "../../tunnels/sharing/handshake.ts";
import { visitSeat } from "../../tunnels/sharing/seat.ts";
import { windowsKey } from "../../tunnels/sharing/windowsKey.ts";
import { BRIDGE_VERSION } from "./opening.ts";

const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Reaches the window of this person that carries connections for a storage folder, and proves to it who has come;
 * its socket is paused. Undefined: nobody is there, or is any more. Throws a sentence when who is there is no window.
 */
export async function dialEditor(storage: string, clock: Clock): Promise<Socket | undefined> {
  const found = await visitSeat(storage);
  if (found === undefined) return undefined;
  const met = await meet(storage, { ...found, clock });
  if (met.kind === "proven") return found.socket;
  if (met.kind === "gone") return undefined;
  throw new Error(
    t("What answers for the editor has not proven to be a window of yours. It was told nothing."),
  );
}

function meet(storage: string, place: Omit<MeetingPlace, "key">) {
  const key = () => windowsKey(storage, SILENT);
  return meetKeeper({ ...place, key }, { side: "bridge", version: BRIDGE_VERSION });
}
