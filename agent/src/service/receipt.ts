import { readFile } from "node:fs/promises";
import { relative, sep } from "node:path";
import { z } from "zod";
import { textOf } from "../platform/errorText.ts";

const MAX_BYTES = 64 << 10;

/** `install.json` in a prefix: by it an uninstaller knows that the directory is ours. */
const receiptSchema = z.object({
  version: z.literal(1),
  /** Directories that were not there before, the highest first. */
  directories: z.array(z.string().max(4_096)).max(100),
});

/** What an installation in a prefix remembers about itself. */
export type Receipt = z.infer<typeof receiptSchema>;

/** The text of a receipt. */
export function renderReceipt(directories: readonly string[]): string {
  return `${JSON.stringify({ version: 1, directories })}\n`;
}

/**
 * Reads the receipt of `prefix`; undefined when there is none. Only directories are believed that
 * are the prefix or above it, and even those are removed only when they are empty.
 */
export async function readReceipt(file: string, prefix: string): Promise<Receipt | undefined> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new Error(`${file} cannot be read: ${textOf(error)}`);
  });
  if (text === undefined) return undefined;
  const receipt = parse(text.slice(0, MAX_BYTES));
  const isAbove = (directory: string) => !relative(directory, prefix).split(sep).includes("..");
  return { version: 1, directories: receipt.directories.filter(isAbove) };
}

/** A damaged receipt still says that the directory is ours. */
function parse(text: string): Receipt {
  try {
    return receiptSchema.parse(JSON.parse(text));
  } catch {
    return { version: 1, directories: [] };
  }
}
