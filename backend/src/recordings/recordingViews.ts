import type { RecordingId, RecordingView } from "@rport/protocol/terminal/recording";
import { terminalIdSchema } from "@rport/protocol/terminal/terminal";
import { toTime, toTimeOrNull } from "../platform/clock.ts";
import type { RecordingFacts, RecordingMeta } from "./recordingFacts.ts";

/** One that is written. */
export function runningView(
  id: RecordingId,
  { meta, bytes }: Pick<RecordingFacts, "meta" | "bytes">,
): RecordingView {
  return { ...shownMeta(id, meta), bytes, ended_at: null, end: null, state: "running" };
}

/** One that is on disk. */
export function viewOf({ id, meta, bytes, last, state }: RecordingFacts): RecordingView {
  return {
    ...shownMeta(id, meta),
    bytes,
    ended_at: toTimeOrNull(last?.endedAtMs),
    end: last?.end ?? null,
    state,
  };
}

function shownMeta(id: RecordingId, meta: RecordingMeta | undefined) {
  const [terminalId, part] = id.split(".");
  return {
    id,
    terminal_id: terminalIdSchema.parse(terminalId),
    part: Number(part),
    client_id: meta?.clientId ?? null,
    hostname: meta?.hostname ?? null,
    owner: meta?.ownerName ?? null,
    account: meta?.account ?? null,
    started_at: meta === undefined ? null : toTime(meta.startedAtMs),
  };
}
