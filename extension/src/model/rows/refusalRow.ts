import type { Refusal, RefusalReason } from "@rport/protocol/refusal";
import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { ago } from "../relativeTime.ts";
import { contextValue } from "./contextValue.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** Why an agent was turned away, in words. */
const REASONS: Readonly<Record<RefusalReason, string>> = {
  "unknown-credential": t("Unknown credential"),
  "wrong-secret": t("Wrong secret"),
  "revoked-credential": t("Deleted credential"),
  "revoked-secret": t("Revoked secret"),
  "revoked-client": t("Revoked client"),
  expired: t("Credential expired"),
  address: t("Address not allowed"),
  "bound-to-other-client": t("Secret of another client"),
  "too-many-clients": t("Too many clients"),
  "join-rate": t("Too many joins a minute"),
  "server-full": t("No room on the server"),
  "credential-full": t("No room for more of the credential"),
  "not-approved": t("Not approved"),
  duplicate: t("Client ID in use"),
  tunnel: t("Tunnel not possible"),
  penalty: t("Too many wrong attempts"),
  busy: t("Server was busy"),
  protocol: t("Not understood"),
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
    trying === 0 ? "" : t("{0} still trying", trying),
    refusedFrom(attempts, addresses),
  );
  return {
    label: t("Refused joins"),
    description,
    icon: trying === 0 ? { name: "shield" } : { name: "shield", color: "list.warningForeground" },
    context: contextValue("refusals"),
    children: "collapsed",
    spoken: joinSpoken(t("Refused joins"), description),
  };
}

function refusedFrom(n: number, addresses: number): string {
  // from each address somebody was refused at least once
  if (addresses !== 1) return t("{0} times from {1} addresses", n, addresses);
  return plural(n, t("{0} time from 1 address", n), t("{0} times from 1 address", n));
}

/** What people call the host, or what it called itself: its claim, so never more than a text. */
function claimOf(
  { client_id: clientId, hostname, auth_id: authId }: Refusal,
  name: string,
): string {
  return joinDots(name || (hostname ?? clientId ?? ""), authId === null ? "" : t("as {0}", authId));
}

function iconOf({ reason }: Refusal): RowIcon {
  return ALARMING.has(reason)
    ? { name: "warning", color: "list.warningForeground" }
    : { name: "circle-slash", color: "disabledForeground" };
}

/** The row of agents that were turned away for one reason; `name`: of a client that is on record, else empty. */
export function refusalRow(refusal: Refusal, nowMs: number, name = ""): Row {
  const { count: n } = refusal;
  const label = REASONS[refusal.reason];
  const trying = isStillTrying(refusal) ? t("still trying") : "";
  const times = plural(n, t("{0} time", n), t("{0} times", n));
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
      t("from {0}", refusal.address),
      claimOf(refusal, name),
      times,
      last,
      refusal.text ?? "",
    ),
  };
}
