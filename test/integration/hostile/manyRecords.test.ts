import { join } from "node:path";
import { EVENT_MESSAGE_MAX_BYTES } from "@rport/protocol/events";
import { expect, it } from "vitest";
import { startBackend } from "../../support/backend/backend.ts";
import { writeRecords } from "../../support/backend/manyRecords.ts";
import { tempDirectory } from "../../support/tempDirectory.ts";

it("F-04 tells any number of editors of more than any message could hold, in messages that every one takes", async () => {
  await using directory = await tempDirectory();
  const dataDir = join(directory.path, "data");
  const ids = await writeRecords(dataDir, { count: 1_200, bytes: 60_000 });
  await using backend = await startBackend({ dataDir });
  const editors = Array.from({ length: 3 }, () => backend.events());
  const sizes: number[] = [];
  editors[0]?.socket.on("message", (data) => sizes.push(Buffer.byteLength(String(data))));
  for (const editor of editors) {
    const { clients } = await editor.snapshot();
    expect(clients.map(({ id }) => String(id)).sort()).toEqual([...ids].sort());
    editor[Symbol.dispose]();
  }
  expect(Math.max(...sizes)).toBeLessThan(EVENT_MESSAGE_MAX_BYTES);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(total).toBeGreaterThan(64 * 1_048_576);
});
