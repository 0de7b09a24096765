import { clientIdSchema } from "@rport/protocol/ids";
import type { RecordingView } from "@rport/protocol/terminal/recording";
import { recordingSchema } from "@rport/protocol/terminal/recording";
import { beforeEach, expect, it, vi } from "vitest";
import type { Targets } from "../../../../extension/src/commands/targets/targets.ts";
import { pickRecording } from "../../../../extension/src/commands/terminals/recordingPick.ts";
import { recordingName } from "../../../../extension/src/model/terminals/recordingText.ts";

const OLDER = "Older ones...";
const INPUT = { node: undefined, selection: [], isKey: false };
const seen = vi.hoisted(() => ({ pages: [] as (readonly { readonly label: string }[])[] }));

vi.mock("vscode", () => ({
  window: {
    // takes the last row of each page
    showQuickPick: async (rows: readonly { readonly label: string }[]) => {
      seen.pages.push(rows);
      return rows.at(-1);
    },
  },
}));

function recording(number: number): RecordingView {
  return recordingSchema.parse({
    id: `${String(number).padStart(22, "0")}.1`,
    terminal_id: String(number).padStart(22, "0"),
    part: 1,
    client_id: "web-01",
    hostname: "web-01",
    owner: `user-${number}`,
    account: "root",
    started_at: "2030-01-01T00:00:00Z",
    ended_at: null,
    bytes: 1_000,
    end: null,
    state: "unfinished",
  });
}

/** A server with recordings, and what its clients are called now. */
function serverOf(all: readonly RecordingView[], names: Readonly<Record<string, string>> = {}) {
  const call = async (_: string, { query }: { query: Record<string, string> }) => {
    const offset = Number(query["page[offset]"]);
    return all.slice(offset, offset + Number(query["page[limit]"]));
  };
  const clients = new Map(Object.entries(names).map(([id, name]) => [id, { id, name }]));
  const server = { api: { call }, mirror: { maps: { clients } } };
  return { server: async () => server } as unknown as Targets;
}

beforeEach(() => {
  seen.pages = [];
});

it("S-66 recordings are offered to the oldest one, a hundred at a time", async () => {
  const all = Array.from({ length: 200 }, (_, number) => recording(number));
  const chosen = await pickRecording(INPUT, serverOf(all), "Play which recording?");
  expect(seen.pages.map((rows) => rows.length)).toEqual([101, 100]);
  expect(seen.pages.map((rows) => rows.at(-1)?.label === OLDER)).toEqual([true, false]);
  expect(chosen?.recording).toEqual(all.at(-1));
});

it("recordings are of the client as the editor calls it, with its own name where that is another one", async () => {
  const all = ["web-01", "f00d", "gone"].map((id, number) => ({
    ...recording(number),
    client_id: clientIdSchema.parse(id),
  }));
  const targets = serverOf(all, { "web-01": "web-01", f00d: "shop\u202e" });
  await pickRecording(INPUT, targets, "Play which recording?");
  const labels = seen.pages.flat().map(({ label }) => label);
  expect(labels).toEqual([
    "user-0 on web-01 as root",
    "user-1 on shop\\u{202E} (web-01) as root",
    "user-2 on web-01 as root",
  ]);
  const [, renamed, gone] = all;
  const client = { id: clientIdSchema.parse("f00d"), name: "shop", hostname: "web-01" };
  expect(renamed && recordingName(renamed, client)).toBe("shop (recording)");
  expect(gone && recordingName(gone, undefined)).toBe("web-01 (recording)");
});
