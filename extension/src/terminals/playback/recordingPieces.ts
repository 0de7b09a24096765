import { type CastLine, readCastLine } from "@rport/protocol/terminal/asciicast";
import type { RecordingId, RecordingState } from "@rport/protocol/terminal/recording";
import type { Api } from "../../api/http.ts";

/** A piece of a recording, and what is known of it when that is the last one. */
export interface ReadPiece {
  readonly text: string;
  readonly state: RecordingState;
}

/** A recording as its server gives it, piece by piece, each asked for when it is wanted. Throws as `Api.call` does. */
export async function* piecesOf(api: Api, id: RecordingId): AsyncGenerator<ReadPiece> {
  const params = { recordingId: id };
  let from: string | null | undefined;
  while (from !== null) {
    const query = from === undefined ? {} : { from };
    const { text, next, state } = await api.call("readRecording", { params, query });
    yield { text, state };
    from = next;
  }
}

/** What is played of a piece: what a line of it does not say is left out. */
export function linesIn({ text }: ReadPiece): readonly CastLine[] {
  return text.split("\n").flatMap((line) => readCastLine(line) ?? []);
}
