import { dirname } from "node:path";
import type { Place } from "../machine/place.ts";
import {
  type Changing,
  ensureDirectory,
  missingDirectories,
  placeFile,
  removeTree,
} from "../machine/placing.ts";
import type { Installing } from "../machine/platform.ts";
import { placedHashes } from "./provenance.ts";
import { type Receipt, renderReceipt, withPlaced } from "./receipt.ts";

/** What is known of a prefix before an installation. */
export interface PrefixBefore {
  readonly place: Place;
  readonly installing: Pick<Installing, "wrapper">;
  /** What an earlier installation wrote down. */
  readonly receipt: Receipt | undefined;
  /** Folders in it that killed runs have worked in. */
  readonly leftovers: readonly string[];
}

/**
 * Makes a prefix, and in it the receipt, at this path. That comes first: by it even a run that is killed
 * here can be removed. It names what is about to be placed and what was there before, of which each may be
 * found then. From then on the prefix is an installation's, and what killed runs have left in it goes.
 */
export async function makePrefix(
  path: string,
  { place, installing, receipt, leftovers }: PrefixBefore,
  changing: Changing,
): Promise<void> {
  const prefix = dirname(path);
  const missing = await missingDirectories(prefix);
  if (missing.length > 0) await ensureDirectory(prefix, { mode: 0o700 }, changing);
  const files = withPlaced(receipt?.files, await placedHashes(place, installing.wrapper));
  const from = { text: renderReceipt({ directories: receipt?.directories ?? missing, files }) };
  await placeFile({ path, from, access: { mode: 0o600 } }, changing);
  for (const folder of leftovers) await removeTree(folder);
}
