import { readSmallBytes } from "@rport/protocol/local/smallFile";
import { HOST_KEY_MAX_BYTES, hostKeyFileIn } from "../host/hostKey.ts";
import type { Owner } from "../machine/account.ts";
import { type Changing, giveFile, isPresent, placeFile } from "../machine/placing.ts";
import { isOwnedBy } from "./keptConfig.ts";

/**
 * Gives the key of this host to an account, if there is one. What another account had, or an uninstallation kept,
 * becomes another file: whoever has the old one open would go on writing to it. Rejects for a link, and
 * for a file with a second name.
 */
export async function keepHostKey(
  dataDir: string,
  owner: Owner,
  changing: Changing,
): Promise<void> {
  const path = hostKeyFileIn(dataDir);
  if (!(await isPresent(path))) return;
  const access = { mode: 0o600, owner };
  const { bytes, stats } = await readSmallBytes(path, HOST_KEY_MAX_BYTES, { followsNoLink: true });
  if (isOwnedBy(stats, owner)) return await giveFile(path, access, changing);
  if (stats.nlink !== 1) throw new Error(`${path} has a second name`);
  await placeFile({ path, from: { text: bytes.toString("utf8") }, access }, changing);
}
