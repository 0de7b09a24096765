import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type CastLine, readCastLine } from "@rport/protocol/terminal/asciicast";
import type { RecordingPiece, RecordingView } from "@rport/protocol/terminal/recording";
import { expect } from "vitest";
import type { RunningBackend } from "../backend/backend.ts";
import { eventually } from "../eventually.ts";
import type { TerminalScene } from "./scene.ts";
import type { TerminalHostOptions } from "./terminalHost.ts";

type Api = Pick<RunningBackend, "api">;

/** A recording that was read to its end. */
export interface ReadRecording {
  readonly lines: readonly string[];
  readonly events: readonly CastLine[];
  /** All output. */
  readonly text: string;
  /** All marks. */
  readonly marks: string;
  readonly state: RecordingPiece["state"];
}

/** Reads a recording, piece by piece. */
export async function readRecording({ api }: Api, { id }: { id: string }): Promise<ReadRecording> {
  const params = { recordingId: id };
  let piece = await api("readRecording", { params });
  let all = piece.text;
  while (piece.next !== null) {
    piece = await api("readRecording", { params, query: { from: piece.next } });
    all += piece.text;
  }
  const lines = all.split("\n").slice(0, -1);
  const events = lines.flatMap((line) => readCastLine(line) ?? []);
  const said = (kind: "output" | "mark") =>
    events.map((event) => (event.kind === kind && "text" in event ? event.text : "")).join("");
  return { lines, events, text: said("output"), marks: said("mark"), state: piece.state };
}

/** The recordings there are, the oldest first, once there are so many that are not written any more. */
export async function endedRecordings(
  { api }: Api,
  count: number,
): Promise<readonly RecordingView[]> {
  return await eventually(async () => {
    const all = await api("listRecordings", { query: { sort: "started_at" } });
    expect(all.filter(({ state }) => state !== "running")).toHaveLength(count);
    return all;
  });
}

/** A terminal that has shown something: its host, who looks at it, and its id. */
export async function shownTerminal(
  scene: TerminalScene,
  text: string,
  options: Partial<TerminalHostOptions> = {},
) {
  const host = await scene.host(options);
  const viewer = await scene.viewer();
  const { id } = await viewer.attached;
  host.only.print(text);
  await viewer.shows(text);
  return { host, viewer, id };
}

/** The files of recordings of a server, by their paths. */
export async function recordingFiles(dataDir: string): Promise<readonly string[]> {
  const directory = join(dataDir, "recordings");
  const names = await readdir(directory).catch(() => []);
  return names.map((name) => join(directory, name)).sort();
}
