import type { Stats } from "node:fs";
import { readSmallBytes } from "@rport/protocol/local/smallFile";
import { CONFIG_MAX_BYTES } from "../config/config.ts";
import { type MovedConfig, movedConfig } from "../config/movedConfig.ts";
import { normaliseServerUrl } from "../config/serverUrl.ts";
import { proxyOfEnvironment } from "../connection/proxy.ts";
import type { Owner } from "../machine/account.ts";
import type { Layout } from "../machine/layout.ts";

type Ownership = Pick<Stats, "uid">;

/** What an `rport.conf` is worth to the account that is to run the agent. */
export interface KeptConfig extends MovedConfig {
  /** Whether the file is this account's already. */
  readonly isOwn: boolean;
}

/**
 * Reads the `rport.conf` of a place for an account: of one that neither this account nor root has written, that alone
 * which does it no harm, for the server that was asked for, or that enrolling will give. Without an
 * account the caller's own counts. Rejects as `readSmallFile` does, also for a link, and as `movedConfig`.
 */
export async function readKeptConfig(
  { config, dataDir }: Layout,
  owner: Owner | undefined,
  server: string | undefined,
): Promise<KeptConfig> {
  const { bytes, stats } = await readSmallBytes(config, CONFIG_MAX_BYTES, { followsNoLink: true });
  const text = bytes.toString("utf8");
  const isOwn = isOwnedBy(stats, owner);
  if (isOwn || isRoots(stats)) return { text, dropped: [], isOwn };
  const asked = normaliseServerUrl(server ?? "");
  const proxy = asked.ok ? proxyOfEnvironment(asked.url) : "";
  return { ...movedConfig(text, config, { server, proxy, dataDir }), isOwn };
}

/** Whether a file is root's, which may write whatever any account obeys. */
export const isRoots = ({ uid }: Ownership): boolean => uid === 0;

/** Whether a file belongs to an account; on Windows, where numbers say nothing, the folder is looked after instead. */
export function isOwnedBy({ uid }: Ownership, owner: Owner | undefined): boolean {
  return owner === undefined || !("uid" in owner) || owner.uid === uid;
}
