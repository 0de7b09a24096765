import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./describeError.ts";

type Text = string | AsyncIterable<string>;

/** Behind the path of a file that is being written, a point and this many bytes. */
const MARK_BYTES = 4;
const UNFINISHED = new RegExp(`\\.[0-9a-f]{${2 * MARK_BYTES}}$`);

/** Whether a path has the form of one that `writeWhole` writes to before it gives the file its name. */
export function isUnfinished(path: string): boolean {
  return UNFINISHED.test(path);
}

/**
 * Replaces a file of this person as a whole, with its folder where there is none: nobody reads half of it, also
 * after a crash, and nobody else reads it. Rejects with the error of the system, or of a text that comes in
 * pieces, and leaves the file as it was. A process that is killed meanwhile leaves what it has written, under the
 * path that `onBegin` is told before.
 */
export async function writeWhole(
  path: string,
  text: Text,
  onBegin?: (unfinished: string) => Promise<void>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = unfinishedOf(path);
  await onBegin?.(unfinished);
  await withUnfinished(unfinished, text, () => rename(unfinished, path));
}

/**
 * Makes a file of this person in a folder that is there, as whole and as private, unless something has its
 * name: of those who make it at once the first one does. Where files have no second names (FAT, exFAT, some
 * shares), another process could find it empty for a moment, and after a crash. Rejects with the error of
 * the system.
 */
export async function makeWhole(path: string, text: string): Promise<void> {
  const unfinished = unfinishedOf(path);
  await withUnfinished(unfinished, text, async () => {
    await unlessThere(() =>
      link(unfinished, path).catch(async (error: unknown) => {
        if (systemCode(error) === "EEXIST") throw error;
        // Systems have many names for this refusal. Whatever else is wrong is wrong with a new file, too, and
        // nothing of this process comes between making this one and filling it.
        writeFileSync(path, text, { flag: "wx", mode: 0o600 });
      }),
    );
  });
}

async function unlessThere(make: () => Promise<void>): Promise<void> {
  await make().catch((error: unknown) => {
    if (systemCode(error) !== "EEXIST") throw error;
  });
}

function unfinishedOf(path: string): string {
  return `${path}.${randomBytes(MARK_BYTES).toString("hex")}`;
}

/** What is written is given its name by `name`, and has no other one afterwards. */
async function withUnfinished(
  unfinished: string,
  text: Text,
  name: () => Promise<void>,
): Promise<void> {
  try {
    await writeNew(unfinished, text);
    await name();
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function writeNew(path: string, text: Text): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
