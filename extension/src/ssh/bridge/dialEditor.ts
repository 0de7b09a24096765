import type { Socket } from "node:net";
import { t } from "@vscode/l10n";
import { type Clock, pause } from "../../support/clock.ts";
import type { Log } from "../../support/log.ts";
import { type MeetingPlace, meetKeeper } from "../../tunnels/sharing/handshake.ts";
import { visitSeat } from "../../tunnels/sharing/seat.ts";
import { windowsKey } from "../../tunnels/sharing/windowsKey.ts";
import { BRIDGE_VERSION } from "./opening.ts";

/** Between two looks for a window. */
export const PAUSE_MS = 100;
const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Where the windows of an editor are found. */
export interface EditorPlace {
  /** The folder that all windows share. */
  readonly storage: string;
  readonly clock: Clock;
  /** Until when somebody is waited for, in milliseconds of the monotonic clock. */
  readonly untilMs: number;
}

/**
 * Reaches the window of this person that carries connections, and proves to it who has come; its socket is
 * paused. Throws a sentence: also when nobody is there in time, and when who is there is no window.
 */
export async function dialEditor({ storage, clock, untilMs }: EditorPlace): Promise<Socket> {
  for (;;) {
    const found = await visitSeat(storage);
    const met = found && (await meet(storage, { ...found, clock }));
    if (found !== undefined && met?.kind === "proven") return found.socket;
    if (met?.kind === "unproven") {
      throw new Error(
        t(
          "What answers for the editor has not proven to be a window of yours. It was told nothing.",
        ),
      );
    }
    if (clock.monotonic() >= untilMs) {
      throw new Error(
        t("No window of the editor is open: open VS Code and sign in to the server."),
      );
    }
    await pause(PAUSE_MS, clock);
  }
}

function meet(storage: string, place: Omit<MeetingPlace, "key">) {
  const key = () => windowsKey(storage, SILENT);
  return meetKeeper({ ...place, key }, { side: "bridge", version: BRIDGE_VERSION });
}
