import { z } from "zod";
import { peek } from "../../store/sqlite/peek.ts";
import type { Head } from "../chain.ts";

const headSchema = z.object({ seq: z.int(), hash: z.string() });

/** The last entry that the index knows; undefined: there is no index that can be read. */
export function indexHead(path: string): Head | undefined {
  const row = peek(path, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1");
  return headSchema.safeParse(row).data;
}
