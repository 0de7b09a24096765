import type { CredentialLimits } from "@rport/protocol/model";
import type { Pairing } from "@rport/protocol/pairing/model";
import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { escapeMarkdown } from "../../support/text.ts";
import { ownRate } from "../joinLimit.ts";
import { ago, until } from "../relativeTime.ts";
import { contextValue } from "./contextValue.ts";
import { type WarningFacts, warningsOf } from "./credentialWarnings.ts";
import { rotationProgress } from "./rotationRow.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** Characters of a pairing's id that are shown: enough to tell a few apart. */
const PAIRING_ID_SHOWN = 4;

function credentialIcon({ credential }: WarningFacts, isWarned: boolean): RowIcon {
  if (isWarned) return { name: "warning", color: "list.warningForeground" };
  const { rotation } = credential;
  if (rotation !== null) return { name: rotation.moved < rotation.total ? "sync" : "check-all" };
  return credential.clients_total === 0
    ? { name: "key", color: "disabledForeground" }
    : { name: "key" };
}

/** What a credential's row depends on. */
export interface CredentialFacts extends WarningFacts {
  /** Whether anything is to be seen below it. */
  readonly hasChildren: boolean;
}

/** A credential's row. */
export function credentialRow(facts: CredentialFacts): Row {
  const { credential, nowMs } = facts;
  const { id, rotation, clients_total: total, clients_connected: connected } = credential;
  const use =
    total === 0 ? t("unused") : plural(total, t("{0} client", total), t("{0} clients", total));
  const online = total === 0 ? "" : t("{0} online", connected);
  const rotated =
    credential.rotated_at === null ? "" : t("rotated {0}", ago(credential.rotated_at, nowMs));
  const rotating = rotation === null ? "" : rotationProgress(rotation, nowMs);
  const age = rotation === null ? rotated : "";
  const warnings = warningsOf(facts).map(({ short }) => short);
  return {
    label: id,
    // what needs attention first: a narrow side bar cuts the rest off
    description: joinDots(...warnings, rotating, credential.label, use, online, age),
    icon: credentialIcon(facts, warnings.length > 0),
    context: contextValue("credential", {
      inUse: total > 0,
      rotating: rotation !== null,
      unused: total === 0,
      warned: warnings.length > 0,
    }),
    children: facts.hasChildren ? "collapsed" : "none",
    spoken: joinSpoken(id, ...warnings, rotating, credential.label, use, online, age),
  };
}

/** What a hover shows of a credential, in Markdown. */
export function credentialTooltip(facts: CredentialFacts): string {
  const { limits } = facts.credential;
  const warnings = warningsOf(facts).map(
    ({ sentence }) => `$(warning) ${escapeMarkdown(sentence)}`,
  );
  const limited = limitFacts(limits, facts.nowMs).map(escapeMarkdown);
  return [
    `**${escapeMarkdown(facts.credential.id)}**`,
    escapeMarkdown(credentialRow(facts).description),
    ...limited,
    ...warnings,
  ].join("  \n");
}

/** The limits that somebody has set on a credential, as lines. */
export function limitFacts(limits: CredentialLimits, nowMs: number): readonly string[] {
  const { max_clients: clients, expires_at: end, cidrs, joins_per_minute: rate } = limits;
  return [
    clients === null
      ? ""
      : plural(clients, t("At most {0} client", clients), t("At most {0} clients", clients)),
    end === null ? "" : t("Ends {0}", until(end, nowMs)),
    cidrs.length === 0 ? "" : t("Only from {0}", cidrs.join(", ")),
    rate === null ? "" : t("New clients: {0}", ownRate(rate)),
    limits.approval ? t("New clients wait for approval") : "",
  ].filter((line) => line !== "");
}

const PAIRING_ICONS: Readonly<Record<Pairing["state"], string>> = {
  active: "watch",
  used: "check",
  expired: "circle-slash",
  revoked: "circle-slash",
};

const PAIRING_STATES: Readonly<Record<Pairing["state"], string>> = {
  active: t("active"),
  used: t("used"),
  expired: t("expired"),
  revoked: t("revoked"),
};

function pairingDescription(pairing: Pairing, nowMs: number): string {
  if (pairing.state === "active") {
    const uses = pairing.uses > 1 ? t("{0} of {1} uses left", pairing.uses_left, pairing.uses) : "";
    return joinDots(t("expires {0}", until(pairing.expires_at, nowMs)), uses);
  }
  const claim = pairing.claims.at(-1);
  return pairing.state === "used" && claim !== undefined
    ? t("used by {0}", claim.hostname)
    : PAIRING_STATES[pairing.state];
}

/** A pairing's row. */
export function pairingRow(pairing: Pairing, nowMs: number): Row {
  const label = t("Pairing {0}", `${pairing.id.slice(0, PAIRING_ID_SHOWN)}\u2026`);
  const description = pairingDescription(pairing, nowMs);
  return {
    label,
    description,
    icon: { name: PAIRING_ICONS[pairing.state] },
    context: contextValue("pairing", { [pairing.state]: true }),
    children: "none",
    spoken: joinSpoken(label, description),
  };
}
