import type { Refusal, RefusalReason } from "@rport/protocol/refusal";
import { count } from "../../support/text.ts";
import { ago } from "../relativeTime.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** Why an agent was turned away, in words. */
const REASONS: Readonly<Record<RefusalReason, string>> = {
  "unknown-credential": "Unknown credential",
  "wrong-secret": "Wrong secret",
  "revoked-credential": "Deleted credential",
  "revoked-secret": "Revoked secret",
  "revoked-client": "Revoked client",
  expired: "Credential expired",
  address: "Address not allowed",
  "bound-to-other-client": "Secret of another client",
  "too-many-clients": "Too many clients",
  "join-rate": "Too many joins a minute",
  "server-full": "No room on the server",
  "credential-full": "No room for more of the credential",
  "not-approved": "Not approved",
  duplicate: "Client ID in use",
  tunnel: "Tunnel not possible",
  penalty: "Too many wrong attempts",
  busy: "Server was busy",
  protocol: "Not understood",
};

/** Reasons that mean: somebody who was let in once is still trying. */
const STILL_TRYING: ReadonlySet<RefusalReason> = new Set([
  "revoked-credential",
  "revoked-secret",
  "revoked-client",
]);

/** Reasons that somebody should look into. */
const ALARMING: ReadonlySet<RefusalReason> = new Set([
  ...STILL_TRYING,
  "bound-to-other-client",
  "duplicate",
  "join-rate",
  "server-full",
  "credential-full",
  "penalty",
]);

/** Why an agent was turned away: what it was told, or else a few words of ours. */
export function whyRefused({ reason, text }: Refusal): string {
  return text ?? REASONS[reason];
}

/** Whether somebody who was let in once still tries. */
export function isStillTrying({ reason }: Refusal): boolean {
  return STILL_TRYING.has(reason);
}

/** The row above what was refused. */
export function refusalsRow(refusals: readonly Refusal[]): Row {
  const attempts = refusals.reduce((sum, { count: n }) => sum + n, 0);
  const addresses = new Set(refusals.map(({ address }) => address)).size;
  const trying = refusals.filter(isStillTrying).length;
  const description = joinDots(
    trying === 0 ? "" : `${trying} still trying`,
    `${count(attempts, "time")} from ${count(addresses, "address", "addresses")}`,
  );
  return {
    label: "Refused joins",
    description,
    icon: trying === 0 ? { name: "shield" } : { name: "shield", color: "list.warningForeground" },
    context: contextValue("refusals"),
    children: "collapsed",
    spoken: joinSpoken("Refused joins", description),
  };
}

/** What people call the host, or what it called itself: its claim, so never more than a text. */
function claimOf(
  { client_id: clientId, hostname, auth_id: authId }: Refusal,
  name: string,
): string {
  return joinDots(name || (hostname ?? clientId ?? ""), authId === null ? "" : `as ${authId}`);
}

function iconOf({ reason }: Refusal): RowIcon {
  return ALARMING.has(reason)
    ? { name: "warning", color: "list.warningForeground" }
    : { name: "circle-slash", color: "disabledForeground" };
}

/** The row of agents that were turned away for one reason; `name`: of a client that is on record, else empty. */
export function refusalRow(refusal: Refusal, nowMs: number, name = ""): Row {
  const label = REASONS[refusal.reason];
  const trying = isStillTrying(refusal) ? "still trying" : "";
  const times = count(refusal.count, "time");
  const last = ago(refusal.last_at, nowMs);
  return {
    label,
    // a narrow side bar shows who it is, if nothing else
    description: joinDots(trying, claimOf(refusal, name), refusal.address, times, last),
    icon: iconOf(refusal),
    context: contextValue("refusal", { stillTrying: trying !== "" }),
    children: "none",
    spoken: joinSpoken(
      label,
      trying,
      `from ${refusal.address}`,
      claimOf(refusal, name),
      times,
      last,
      refusal.text ?? "",
    ),
  };
}
