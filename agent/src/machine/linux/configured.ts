import { loadConfig } from "../../config/loadConfig.ts";
import type { Accounts } from "../account.ts";
import type { Place } from "../place.ts";
import { type Writable, writableFor } from "./writable.ts";

/** What the configuration of a place makes its agent write to; `made` as for `writableFor`. */
export async function configuredWritable(
  { layout, user = "" }: Place,
  { made, accounts }: { readonly made: readonly string[]; readonly accounts: Accounts },
): Promise<Writable> {
  const config = await loadConfig(layout.config).catch(() => undefined);
  const account = await accounts.find(user);
  if (config === undefined || account === undefined) return { paths: [], logsDirectories: [] };
  const { logFile, dataDir } = config;
  return writableFor({ logFile, dataDir, logsDirectories: made }, account);
}
