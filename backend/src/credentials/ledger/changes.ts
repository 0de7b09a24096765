import { RportError } from "@rport/protocol/errors";
import type { AuthId } from "@rport/protocol/ids";
import type { CredentialLimits, CredentialLimitsChange } from "@rport/protocol/model";
import { whyNotCidrs } from "../../platform/addressRule.ts";
import type { EditStore } from "../../store/edits/editStore.ts";

/** What people may change about a credential; what is absent stays. */
export interface CredentialChange {
  readonly label?: string | undefined;
  readonly kind?: "host" | "fleet" | undefined;
  /** Each limit that is given replaces the one before; the others stay. */
  readonly limits?: CredentialLimitsChange | undefined;
}

/**
 * Changes what is written down about a credential. Clients that are connected stay so, whatever the
 * limits are now. Fails with `ERR_CODE_INVALID_REQUEST`, which says why, and with
 * `ERR_CODE_CLIENT_AUTH_NOT_FOUND` when the credential is gone, or going.
 */
export async function changeCredential(
  id: AuthId,
  { label, kind, limits }: CredentialChange,
  store: Pick<EditStore, "commit">,
): Promise<void> {
  const reason = whyNotCidrs(limits?.cidrs ?? []);
  if (reason !== undefined) throw new RportError("ERR_CODE_INVALID_REQUEST", reason);
  const to = { label, kind, limits: given(limits ?? {}) };
  await store.commit([{ kind: "change", credential: id, to }]);
}

/** Without the members that are there and undefined. */
function given(limits: CredentialLimitsChange): Partial<CredentialLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
