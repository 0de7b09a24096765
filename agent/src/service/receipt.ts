import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, relative, sep } from "node:path";
import { readAtMost } from "@rport/protocol/local/smallFile";
import { z } from "zod";
import { textOf } from "../platform/errorText.ts";

const MAX_BYTES = 64 << 10;
/** Follows no link, and does not wait for who writes into a pipe. */
const PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Kept per file: the newest one, and those that a run which was killed may have left. */
const MAX_HASHES = 8;

const directories = z.array(z.string().max(4_096)).max(100);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** `install.json` in a prefix: by it an uninstaller knows that the directory is ours. */
const receiptSchema = z.strictObject({
  /** The mark: other programs have an `install.json`, too. */
  program: z.literal("rport-agent"),
  version: z.literal(2),
  /** Directories that were not there before, the highest first. */
  directories,
  /** By their names below the prefix: the SHA-256 of what was placed, the newest first. */
  files: z.record(z.string().max(4_096), z.array(hash).max(MAX_HASHES)),
});

/** What 0.1 wrote, without a mark and without hashes. */
const firstReceiptSchema = z.strictObject({ version: z.literal(1), directories });

/** What an installation in a prefix remembers about itself. */
export interface Receipt {
  readonly directories: readonly string[];
  /** Undefined: written by release 0.1, which kept no hashes. */
  readonly files: Readonly<Record<string, readonly string[]>> | undefined;
  /** Whose the receipt is, hence who installed. */
  readonly uid: number;
}

/** What stands where a receipt is expected; `foreign`: something that no release of ours wrote. */
export type FoundReceipt =
  | { readonly kind: "none" }
  | { readonly kind: "foreign" }
  | { readonly kind: "ours"; readonly receipt: Receipt };

/** The text of a receipt. */
export function renderReceipt({ directories, files }: Pick<Receipt, "directories" | "files">) {
  return `${JSON.stringify({ program: "rport-agent", version: 2, directories, files })}\n`;
}

/** The hashes of a receipt, with those of what is about to be placed in front. */
export function withPlaced(
  known: Receipt["files"],
  placed: Readonly<Record<string, string>>,
): Record<string, readonly string[]> {
  const files: Record<string, readonly string[]> = structuredClone({ ...known });
  for (const [name, newest] of Object.entries(placed)) {
    const before = files[name]?.filter((one) => one !== newest) ?? [];
    files[name] = [newest, ...before].slice(0, MAX_HASHES);
  }
  return files;
}

/**
 * Reads the receipt of the directory it lies in. Nothing else of it is believed than what a
 * release of ours writes: a link, another owner's form or a damaged text is `foreign`. Only
 * directories are believed that are the prefix or above it, and even those are removed only when
 * they are empty. Rejects when there is a file that cannot be read.
 */
export async function readReceipt(file: string): Promise<FoundReceipt> {
  const found = await readPlain(file);
  if (typeof found === "string") return { kind: found };
  const prefix = dirname(file);
  const isAbove = (directory: string) => !relative(directory, prefix).split(sep).includes("..");
  const parsed = parse(found.text);
  if (parsed === undefined) return { kind: "foreign" };
  const { files } = parsed;
  const directories = parsed.directories.filter(isAbove);
  return { kind: "ours", receipt: { directories, files, uid: found.uid } };
}

async function readPlain(file: string) {
  try {
    await using handle = await open(file, PLAIN);
    const stats = await handle.stat();
    const bytes = stats.isFile() ? await readAtMost(handle, MAX_BYTES) : undefined;
    if (bytes === undefined) return "foreign" as const;
    return { text: bytes.toString("utf8"), uid: stats.uid };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return "none" as const;
    if (code === "ELOOP") return "foreign" as const;
    throw new Error(`${file} cannot be read: ${textOf(error)}`);
  }
}

function parse(text: string): Omit<Receipt, "uid"> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const current = receiptSchema.safeParse(json).data;
    if (current !== undefined) return current;
    const first = firstReceiptSchema.safeParse(json).data;
    return first && { directories: first.directories, files: undefined };
  } catch {
    return undefined;
  }
}
