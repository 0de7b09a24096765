import { RportError } from "@rport/protocol/errors";
import { type CastLine, readCastLine } from "@rport/protocol/terminal/asciicast";
import type { RecordingId, RecordingState } from "@rport/protocol/terminal/recording";
import { t } from "@vscode/l10n";
import type { Api } from "../../api/http.ts";

/** Servers keep a sixteenth of it of one terminal, unless they are told otherwise. */
const TEXT_MAX_GIB = 4;
/** So many lines are read at a time: those of a whole piece may be millions that say nothing. */
const BATCH_LINES = 500;

/** A piece of a recording, and what is known of it when that is the last one. */
export interface ReadPiece {
  readonly text: string;
  readonly state: RecordingState;
  readonly isLast: boolean;
}

/**
 * A recording as its server gives it, piece by piece, each asked for when it is wanted. Throws as `Api.call` does,
 * `INTERNAL` for an answer that leads nowhere, `TOO_LARGE` where no end comes in 4 GiB.
 */
export async function* piecesOf(
  api: Pick<Api, "call">,
  id: RecordingId,
): AsyncGenerator<ReadPiece> {
  const params = { recordingId: id };
  let from: string | null | undefined;
  let left = TEXT_MAX_GIB * 2 ** 30;
  while (from !== null) {
    const query = from === undefined ? {} : { from };
    const { text, next, state } = await api.call("readRecording", { params, query });
    const isLast = next === null;
    if (!isLast && (text === "" || next === from)) throw leadsNowhere();
    left -= text.length;
    if (left < 0) {
      throw new RportError(
        "TOO_LARGE",
        t("This recording is longer than {0} GiB: the editor reads no further.", TEXT_MAX_GIB),
      );
    }
    yield { text, state, isLast };
    from = next;
  }
}

/**
 * What is played of a piece, some lines at a time: what a line of it does not say is left out. Throws `INTERNAL`
 * for a piece without anything to play behind which there are others.
 */
export function* linesIn({ text, isLast }: ReadPiece): Generator<readonly CastLine[]> {
  const all = text.split("\n");
  let count = 0;
  for (let at = 0; at < all.length; at += BATCH_LINES) {
    const lines = all.slice(at, at + BATCH_LINES).flatMap((line) => readCastLine(line) ?? []);
    count += lines.length;
    yield lines;
  }
  if (count === 0 && !isLast) throw leadsNowhere();
}

function leadsNowhere(): RportError {
  return new RportError(
    "INTERNAL",
    t("The server says that this recording goes on, and sends nothing of it."),
  );
}
