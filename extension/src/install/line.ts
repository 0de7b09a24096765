import type { Pairing, PairingStep } from "@rport/protocol/pairing/model";
import type { SheetState } from "@rport/protocol/sheet";
import { t } from "@vscode/l10n";
import { plural } from "../support/plural.ts";
import { inertLine } from "../support/text.ts";

/** Where a line stands, as the page is told. */
export type Line = SheetState["line"];

/** What is known of a line. */
export interface LineFacts {
  /** The pairing as it was last heard of. */
  readonly pairing: Pairing;
  /** Whether the server still lists it. */
  readonly isListed: boolean;
  /** Whether its token is lost. */
  readonly isLost: boolean;
  /** Whether its credential is there. */
  readonly hasCredential: boolean;
  /** The server's clock, in milliseconds since the epoch. */
  readonly serverNowMs: number;
}

/** Open, or one of the ends; a line that was used is never called expired. */
export function lineOf(facts: LineFacts): Line {
  const { pairing, isListed, isLost, hasCredential, serverNowMs } = facts;
  const { state, expires_at: expiresAt, uses, claims } = pairing;
  if (!hasCredential) return { kind: "credentialGone" };
  if (state === "used" || claims.length >= uses) return { kind: "used" };
  if (state === "revoked") return { kind: "revoked" };
  if (state === "expired" || serverNowMs >= Date.parse(expiresAt)) {
    return { kind: "expired", at: expiresAt };
  }
  if (!isListed) return { kind: "revoked" };
  return isLost ? { kind: "lost" } : { kind: "open", expiresAt };
}

/** What has happened with a pairing that is about no host of it, as sentences with their times. */
export function newsOf({ steps, hostname }: Pairing): SheetState["news"] {
  return steps.flatMap((step) => {
    const text = step.client_id === "" ? newsText(step, hostname) : "";
    return text === "" ? [] : [{ at: step.at, text: inertLine(text) }];
  });
}

function newsText(
  { kind, address, count: times, hostname, reason, text }: PairingStep,
  of: string,
) {
  if (kind === "script_fetched") {
    return plural(
      Math.max(1, times),
      t("The script was fetched from {0}.", address),
      t("The script was fetched from {0}, {1} times.", address, times),
    );
  }
  if (kind !== "refused") return "";
  const who = hostname === "" ? address : `${hostname} (${address})`;
  if (reason === "identifier_mismatch") {
    return t("{0} was turned away: the line is for {1} only.", who, of);
  }
  return t("{0} was turned away. {1}", who, text).trim();
}
