import { errorText, type Log } from "../../platform/log.ts";
import { accountId } from "../../platform/random.ts";
import type { Document } from "./document.ts";

/**
 * Gives an id to the accounts of earlier versions, which had none. Where the disk does not take it,
 * they have one until the next start, and what hosts keep of theirs is nobody's then.
 */
export async function nameAccounts(
  document: Pick<Document, "data" | "update">,
  log: Pick<Log, "warn">,
): Promise<void> {
  if (document.data.users.every(({ account_id: id }) => id !== undefined)) return;
  try {
    await document.update((data) => ({
      ...data,
      users: data.users.map((user) => ({ ...user, account_id: user.account_id ?? accountId() })),
    }));
  } catch (error) {
    log.warn("accounts of an earlier version got no lasting ids", { reason: errorText(error) });
  }
}
