import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Log } from "../platform/log.ts";
import type { AgentConfig } from "./config.ts";

/** Tags and labels of this host, as its server is told. */
export type Attributes = Pick<AgentConfig, "tags" | "labels">;

const MAX_BYTES = 64 << 10;

const attributesSchema = z.object({
  tags: z.array(z.string().max(1_000)).max(256).nullish(),
  labels: z.record(z.string().max(256), z.string().max(1_000)).nullish(),
});

/**
 * The tags and labels to register with: those of the attributes file when there is one, else the
 * configuration's. RPort's servers let people edit that file. Never rejects; a file that cannot be
 * understood is told and does not count.
 */
export async function readAttributes(config: AgentConfig, log: Log): Promise<Attributes> {
  const { tags, labels, attributesFile: file } = config;
  if (file === "") return { tags, labels };
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return { tags, labels };
  const parsed = text.length <= MAX_BYTES ? attributesSchema.safeParse(parseJson(text)) : undefined;
  if (parsed?.success) {
    return { tags: parsed.data.tags ?? tags, labels: parsed.data.labels ?? labels };
  }
  log.warn("the attributes file does not hold tags and labels", { file });
  return { tags, labels };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
