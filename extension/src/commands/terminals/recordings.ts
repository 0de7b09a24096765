import { open } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { RportError } from "@rport/protocol/errors";
import { CAST_EXTENSION } from "@rport/protocol/terminal/asciicast";
import type { RecordingView } from "@rport/protocol/terminal/recording";
import { t } from "@vscode/l10n";
import { ProgressLocation, type QuickPickItem, ThemeIcon, Uri, window } from "vscode";
import { recordingName, recordingText } from "../../model/terminals/recordingText.ts";
import type { Server } from "../../servers/server.ts";
import { systemClock } from "../../support/clock.ts";
import { plainText } from "../../support/text.ts";
import { piecesOf } from "../../terminals/playback/recordingPieces.ts";
import { RecordingTerminal } from "../../terminals/playback/recordingTerminal.ts";
import type { CommandInput, Handlers } from "../registry.ts";
import type { Targets } from "../targets/targets.ts";

/** The newest ones are offered. */
const OFFERED_MAX = 100;

/** What playing and saving recordings needs. */
export interface RecordingCommandsDeps {
  readonly targets: Targets;
}

/** Commands on recordings of terminals. */
export type RecordingHandlers = Pick<Handlers, "playRecording" | "saveRecording">;

interface Chosen {
  readonly server: Server;
  readonly recording: RecordingView;
}

interface Choice extends QuickPickItem {
  readonly recording: RecordingView;
}

/** Playing a recording in a terminal of the editor, and saving one as a file. */
export function recordingHandlers({ targets }: RecordingCommandsDeps): RecordingHandlers {
  return {
    async playRecording(input) {
      const chosen = await choose(input, targets, t("Play which recording?"));
      if (chosen !== undefined) play(chosen);
    },
    async saveRecording(input) {
      const chosen = await choose(input, targets, t("Save which recording?"));
      if (chosen !== undefined) await save(chosen);
    },
  };
}

/** Of the client whose row it was asked on, or else of all clients of a server. */
async function choose(
  input: CommandInput,
  targets: Targets,
  title: string,
): Promise<Chosen | undefined> {
  const { node } = input;
  const fits = (one: Server) => one.state.kind === "connected" && one.may("administrator");
  const server = await targets.server(input, t("Recordings of which server?"), fits);
  if (server === undefined) return undefined;
  const newest = { sort: "-started_at", "page[limit]": String(OFFERED_MAX) };
  const query =
    node?.kind === "client" ? { "filter[client_id]": node.clientId, ...newest } : newest;
  const recordings = await server.api.call("listRecordings", { query });
  if (recordings.length === 0) {
    await tellNone();
    return undefined;
  }
  const choices = recordings.map(
    (recording): Choice => ({ ...recordingText(recording), recording }),
  );
  const options = { title, matchOnDescription: true, matchOnDetail: true };
  const chosen = await window.showQuickPick(choices, options);
  return chosen && { server, recording: chosen.recording };
}

/** Says that there is none, and what would make some. */
async function tellNone(): Promise<void> {
  const detail = t(
    "What terminals show is recorded where the server's configuration has record = true in [terminals], or a group of clients has record_terminals.",
  );
  const question = t("There are no recordings of terminals here.");
  await window.showInformationMessage(question, { modal: true, detail });
}

function play({ server, recording }: Chosen): void {
  const { label, description } = recordingText(recording);
  const name = recordingName(recording);
  const pty = new RecordingTerminal({
    name,
    about: `${label}, ${description}`,
    pieces: piecesOf(server.api, recording.id),
    clock: systemClock,
  });
  const iconPath = new ThemeIcon("play-circle");
  window.createTerminal({ name, pty, iconPath, isTransient: true }).show();
}

/** Piece by piece: a recording may be larger than the editor should hold. */
async function save({ server, recording }: Chosen): Promise<void> {
  const file = `${recording.id}.${CAST_EXTENSION}`;
  const defaultUri = Uri.file(join(homedir(), file));
  const filters = { asciicast: [CAST_EXTENSION] };
  const uri = await window.showSaveDialog({ defaultUri, filters });
  if (uri === undefined) return;
  if (uri.scheme !== "file") {
    throw new RportError("BAD_REQUEST", t("A recording is saved on this computer alone."));
  }
  const title = t("Saving the recording...");
  const progress = { location: ProgressLocation.Notification, title };
  const state = await window.withProgress(progress, () => write(uri.fsPath, { server, recording }));
  const saved = t("The recording was saved. asciinema plays it: asciinema play {0}", uri.fsPath);
  const { detail } = recordingText({ ...recording, state });
  void window.showInformationMessage(plainText(`${saved}${detail === "" ? "" : ` ${detail}`}`));
}

/** Only its owner reads the file: terminals show what others are not to see. */
async function write(path: string, { server, recording }: Chosen): Promise<RecordingView["state"]> {
  const file = await open(path, "w", 0o600);
  let { state } = recording;
  try {
    for await (const piece of piecesOf(server.api, recording.id)) {
      await file.writeFile(piece.text);
      state = piece.state;
    }
  } finally {
    await file.close();
  }
  return state;
}
