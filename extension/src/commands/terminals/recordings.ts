import { homedir } from "node:os";
import { join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { CAST_EXTENSION } from "@rport/protocol/terminal/asciicast";
import { t } from "@vscode/l10n";
import { ProgressLocation, ThemeIcon, Uri, window } from "vscode";
import { recordingName, recordingText } from "../../model/terminals/recordingText.ts";
import { systemClock } from "../../support/clock.ts";
import { plainText } from "../../support/text.ts";
import { piecesOf } from "../../terminals/playback/recordingPieces.ts";
import { RecordingTerminal } from "../../terminals/playback/recordingTerminal.ts";
import { saveRecording } from "../../terminals/playback/saveRecording.ts";
import type { UnfinishedFiles } from "../../terminals/playback/unfinishedFiles.ts";
import type { Handlers } from "../registry.ts";
import type { Targets } from "../targets/targets.ts";
import { type ChosenRecording, pickRecording, recordedClient } from "./recordingPick.ts";

/** What playing and saving recordings needs. */
export interface RecordingCommandsDeps {
  readonly targets: Targets;
  readonly unfinished: UnfinishedFiles;
}

/** Commands on recordings of terminals. */
export type RecordingHandlers = Pick<Handlers, "playRecording" | "saveRecording">;

/** Playing a recording in a terminal of the editor, and saving one as a file. */
export function recordingHandlers({
  targets,
  unfinished,
}: RecordingCommandsDeps): RecordingHandlers {
  return {
    async playRecording(input) {
      const chosen = await pickRecording(input, targets, t("Play which recording?"));
      if (chosen !== undefined) play(chosen);
    },
    async saveRecording(input) {
      const chosen = await pickRecording(input, targets, t("Save which recording?"));
      if (chosen !== undefined) await save(chosen, unfinished);
    },
  };
}

function play(chosen: ChosenRecording): void {
  const { server, recording } = chosen;
  const client = recordedClient(chosen);
  const { label, description } = recordingText(recording, client);
  const name = recordingName(recording, client);
  const pty = new RecordingTerminal({
    name,
    about: `${label}, ${description}`,
    pieces: piecesOf(server.api, recording.id),
    clock: systemClock,
  });
  const iconPath = new ThemeIcon("play-circle");
  window.createTerminal({ name, pty, iconPath, isTransient: true }).show();
}

async function save(chosen: ChosenRecording, unfinished: UnfinishedFiles): Promise<void> {
  const { server, recording } = chosen;
  const file = `${recording.id}.${CAST_EXTENSION}`;
  const defaultUri = Uri.file(join(homedir(), file));
  const filters = { asciicast: [CAST_EXTENSION] };
  const uri = await window.showSaveDialog({ defaultUri, filters });
  if (uri === undefined) return;
  if (uri.scheme !== "file") {
    throw new RportError("BAD_REQUEST", t("A recording is saved on this computer alone."));
  }
  const title = t("Saving the recording...");
  const progress = { location: ProgressLocation.Notification, title, cancellable: true };
  const state = await window.withProgress(progress, (_, token) => {
    const cancelling = new AbortController();
    token.onCancellationRequested(() => cancelling.abort());
    const pieces = piecesOf(server.api, recording.id);
    return saveRecording(uri.fsPath, pieces, { signal: cancelling.signal, unfinished });
  });
  if (state === undefined) return;
  const saved = t("The recording was saved. asciinema plays it: asciinema play {0}", uri.fsPath);
  const { detail } = recordingText({ ...recording, state }, recordedClient(chosen));
  void window.showInformationMessage(plainText(`${saved}${detail === "" ? "" : ` ${detail}`}`));
}
