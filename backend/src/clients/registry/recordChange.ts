import type { AuthId } from "@rport/protocol/ids";
import type { HostKeyChange } from "@rport/protocol/model";
import type { ClientRecord } from "../../store/records/clientRecord.ts";
import { newChange } from "./hostKeyChange.ts";

/** What is not as it was about a client that has registered. */
export interface RecordChange {
  /** It had no record before. */
  readonly isNew: boolean;
  /** The credential it came in with before, if that was another one. */
  readonly formerCredential: AuthId | undefined;
  readonly hostKey: HostKeyChange | undefined;
}

/** What has changed between two records of a client. */
export function recordChange(now: ClientRecord, before: ClientRecord | undefined): RecordChange {
  const former = before?.client_auth_id;
  return {
    isNew: before === undefined,
    formerCredential: former === now.client_auth_id ? undefined : former,
    hostKey: newChange(now, before),
  };
}

/** Whether the record has to be on disk before its client is told that it is in. */
export function isUnexpected({ isNew, formerCredential, hostKey }: RecordChange): boolean {
  return isNew || formerCredential !== undefined || hostKey !== undefined;
}
