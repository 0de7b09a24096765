import type { PasswordRecord } from "../../store/records/userRecord.ts";

/** A password that takes the place of the one that was shown. */
export interface NewPassword {
  readonly password: PasswordRecord;
  /** The verifier of that one. */
  readonly replaces: string | undefined;
}
