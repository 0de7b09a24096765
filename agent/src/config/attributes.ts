import { readSmallFile } from "@rport/protocol/local/smallFile";
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
  const text = await readSmallFile(file, MAX_BYTES).catch(unreadable);
  if (text === undefined) return { tags, labels };
  const parsed = attributesSchema.safeParse(parseJson(text));
  if (parsed.success) {
    return { tags: parsed.data.tags ?? tags, labels: parsed.data.labels ?? labels };
  }
  log.warn("the attributes file does not hold tags and labels", { file });
  return { tags, labels };
}

/** What the system refuses, such as a file that is not there, is as good as none; what is no small file is told. */
function unreadable(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? undefined : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
