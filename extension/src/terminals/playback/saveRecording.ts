import type { RecordingState } from "@rport/protocol/terminal/recording";
import { writeWhole } from "../../support/wholeFile.ts";
import type { ReadPiece } from "./recordingPieces.ts";
import type { UnfinishedFiles } from "./unfinishedFiles.ts";

/** What saving a recording needs beside it. */
export interface SaveOptions {
  readonly signal: AbortSignal;
  /** Remembers what is left behind where the editor is killed. */
  readonly unfinished: UnfinishedFiles;
}

/**
 * Writes a recording, piece by piece as it may be larger than the editor should hold, into a file that its owner alone
 * reads: terminals show what others are not to see. Answers with what is known of its end; undefined: nobody wants it
 * any more. Rejects as the pieces do, or with the error of the system; what was there before then stays.
 */
export async function saveRecording(
  path: string,
  pieces: AsyncIterable<ReadPiece>,
  { signal, unfinished }: SaveOptions,
): Promise<RecordingState | undefined> {
  let state: RecordingState = "unfinished";
  let begun: string | undefined;
  async function* texts() {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      state = piece.state;
      yield piece.text;
    }
  }
  try {
    await writeWhole(path, texts(), async (file) => {
      begun = file;
      await unfinished.begin(file);
    });
    return state;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    if (begun !== undefined) await unfinished.end(begun);
  }
}
