import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./describeError.ts";

type Text = string | AsyncIterable<string>;

/**
 * Replaces a file of this person as a whole, with its folder where there is none: nobody reads half of it, also
 * after a crash, and nobody else reads it. Rejects with the error of the system, or of a text that comes in
 * pieces, and leaves the file as it was.
 */
export async function writeWhole(path: string, text: Text): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await withUnfinished(path, text, (unfinished) => rename(unfinished, path));
}

/**
 * Makes a file of this person in a folder that is there, as whole and as private, unless something has its
 * name: of those who make it at once the first one does. Where files have no second names (FAT, exFAT, some
 * shares), another process could find it empty for a moment, and after a crash. Rejects with the error of
 * the system.
 */
export async function makeWhole(path: string, text: string): Promise<void> {
  await withUnfinished(path, text, async (unfinished) => {
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

/** What is written is given its name by `name`, and has no other one afterwards. */
async function withUnfinished(
  path: string,
  text: Text,
  name: (unfinished: string) => Promise<void>,
): Promise<void> {
  const unfinished = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    await writeNew(unfinished, text);
    await name(unfinished);
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
