import type { RecordingView } from "@rport/protocol/terminal/recording";
import { recordingSchema } from "@rport/protocol/terminal/recording";
import { expect, it, vi } from "vitest";
import type { Targets } from "../../../../extension/src/commands/targets/targets.ts";
import { pickRecording } from "../../../../extension/src/commands/terminals/recordingPick.ts";

const OLDER = "Older ones...";
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

it("S-66 recordings are offered to the oldest one, a hundred at a time", async () => {
  const all = Array.from({ length: 200 }, (_, number) => recording(number));
  const call = async (_: string, { query }: { query: Record<string, string> }) => {
    const offset = Number(query["page[offset]"]);
    return all.slice(offset, offset + Number(query["page[limit]"]));
  };
  const targets = { server: async () => ({ api: { call } }) } as unknown as Targets;
  const input = { node: undefined, selection: [], isKey: false };
  const chosen = await pickRecording(input, targets, "Play which recording?");
  expect(seen.pages.map((rows) => rows.length)).toEqual([101, 100]);
  expect(seen.pages.map((rows) => rows.at(-1)?.label === OLDER)).toEqual([true, false]);
  expect(chosen?.recording).toEqual(all.at(-1));
});
