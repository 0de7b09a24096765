import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** Where `npm run package` puts the backend, in the extension's folder. */
const FOLDER = join("dist", "backend");

const processSchema = z.object({
  flags: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  oldestNode: z.int().positive(),
});

/** The backend that is a part of this extension, and how it wants to be run. */
export interface BackendBundle extends z.infer<typeof processSchema> {
  /** What Node runs. */
  readonly main: string;
}

/** Reads how the bundle is run. Rejects when the extension is damaged. */
export async function readBundle(extensionPath: string): Promise<BackendBundle> {
  const folder = join(extensionPath, FOLDER);
  const text = await readFile(join(folder, "process.json"), "utf8");
  return { ...processSchema.parse(JSON.parse(text)), main: join(folder, "lib", "main.mjs") };
}
