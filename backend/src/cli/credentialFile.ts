import { open } from "node:fs/promises";
import { readAtMost } from "@rport/protocol/local/smallFile";
import { z } from "zod";
import { StartFailure } from "../platform/startFailure.ts";
import { codeOf } from "../store/files/durableFile.ts";

/** Larger files are none of RPort's lists of credentials: 100,000 entries have about 10 MB. */
const FILE_MAX_BYTES = 32 << 20;

const fileSchema = z.record(z.string(), z.string());

/** One entry of RPort's `client-auth.json`; nothing about it was checked. */
export interface FileCredential {
  readonly id: string;
  readonly password: string;
}

/**
 * Reads RPort's `client-auth.json`: one JSON object of passwords by auth id. Fails with a
 * `StartFailure` that names the file, and the entry where one is wrong, but never a password.
 */
export async function readCredentialFile(path: string): Promise<readonly FileCredential[]> {
  const text = await readText(path);
  const parsed = fileSchema.safeParse(parseJson(text));
  if (parsed.success) {
    return Object.entries(parsed.data).map(([id, password]) => ({ id, password }));
  }
  const entry = parsed.error.issues[0]?.path[0];
  const what =
    entry === undefined
      ? "is not one JSON object"
      : `has something else than a text for ${JSON.stringify(String(entry).slice(0, 80))}`;
  throw unusable(`${path} ${what}. As in RPort: {"auth id": "password", ...}.`);
}

async function readText(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const facts = await file.stat();
    if (!facts.isFile()) throw unusable(`${path} is no file.`);
    const bytes = await readAtMost(file, FILE_MAX_BYTES);
    if (bytes === undefined) throw unusable(`${path} is larger than ${FILE_MAX_BYTES} bytes.`);
    return bytes.toString("utf8");
  } catch (caught) {
    if (caught instanceof StartFailure) throw caught;
    throw unusable(`${path} cannot be read (${codeOf(caught)}).`);
  }
}

/** The parser's own message repeats parts of the text, and there are passwords in it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\u{FEFF}/u, ""));
  } catch {
    return undefined;
  }
}

function unusable(message: string): StartFailure {
  return new StartFailure("configuration", message);
}
