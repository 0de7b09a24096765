import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";

const root = new URL("../../../", import.meta.url);
const script = fileURLToPath(new URL("bareActivation.cjs", import.meta.url));

/** The extension as `npm run package` has built it. */
const bundle = fileURLToPath(new URL("extension/dist/extension.cjs", root));

const measuredSchema = z.object({
  loadMs: z.number(),
  activateMs: z.number(),
  /** What both cost, however busy the machine is. */
  processorMs: z.number(),
  calls: z.array(z.string()),
});

/** What an activation took, and what it asked of the system: files, processes, network, users. */
export type BareActivation = z.infer<typeof measuredSchema>;

/** Activates the built extension in a new process, with an editor that does nothing. */
export async function bareActivation(): Promise<BareActivation> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, bundle]);
  return measuredSchema.parse(JSON.parse(stdout));
}
