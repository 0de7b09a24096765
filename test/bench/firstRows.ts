import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { LastFiles } from "../../extension/src/views/lastShown/folder.ts";
import { recordOf } from "../../extension/src/views/lastShown/record.ts";
import { tempDirectory } from "../support/tempDirectory.ts";
import { silentLog } from "../unit/extension/serverFixture.ts";

const HOSTS = 10_000;
const URL_OF_SERVER = "https://relay.example.com";
const script = fileURLToPath(new URL("firstRows.cjs", import.meta.url));
const bundle = fileURLToPath(new URL("../../extension/dist/extension.cjs", import.meta.url));

const measuredSchema = z.object({
  rows: z.number(),
  /** From the beginning of activation. */
  ms: z.number(),
});

/** When the clients view has rows in a new window, of a server with 10,000 hosts that does not answer yet. */
export async function firstRows(): Promise<z.infer<typeof measuredSchema>> {
  await using storage = await tempDirectory();
  const record = recordOf({
    serverKey: URL_OF_SERVER,
    atMs: Date.now(),
    filter: "",
    groups: [{ by: "status", value: "online", size: HOSTS, rows }],
  });
  await new LastFiles(storage.path, silentLog).write(record);
  const args = [script, bundle, storage.path, URL_OF_SERVER];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return measuredSchema.parse(JSON.parse(stdout));
}

function rows(most: number) {
  return Array.from({ length: most }, (_, n) => ({
    clientId: `5f0c7a1e-9d3b-4c1a-8e57-${String(n).padStart(12, "0")}`,
    isAgain: false,
    label: `web-${n}.rack${n % 97}.example.com`,
    description: `10.0.${n % 250}.11 \u00B7 prod \u00B7 web \u00B7 Debian GNU/Linux 12 (bookworm)`,
    spoken: `web-${n}.rack${n % 97}.example.com, online, Debian GNU/Linux 12 (bookworm), prod, web`,
    icon: "vm-running",
  }));
}
