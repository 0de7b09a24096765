import { readSmallFile } from "@rport/protocol/local/smallFile";
import { errorText, type Log } from "../../platform/log.ts";
import { bytes } from "../../platform/random.ts";
import { writeDurably } from "../../store/files/durableFile.ts";

const KEY_BYTES = 32;
/** Twice as many digits, and the end of their line. */
const FILE_MAX_BYTES = 1_024;

/**
 * The key that signs the tokens of sessions; made when its file is missing or damaged. Losing it
 * signs sessions out and nothing else, so it is no reason not to start; nor is a disk that does not
 * take it: then sessions end with this process.
 */
export async function sessionKey(path: string, log: Log): Promise<Buffer> {
  const known = await readKey(path);
  if (known !== undefined) return known;
  const key = bytes(KEY_BYTES);
  try {
    await writeDurably(path, `${key.toString("hex")}\n`);
  } catch (caught) {
    log.error("the key of sessions was not written; a restart will sign them out", {
      path,
      reason: errorText(caught),
    });
  }
  return key;
}

async function readKey(path: string): Promise<Buffer | undefined> {
  const text = await readSmallFile(path, FILE_MAX_BYTES).catch(() => "");
  return /^[0-9a-f]{64}\s*$/.test(text) ? Buffer.from(text.trim(), "hex") : undefined;
}
