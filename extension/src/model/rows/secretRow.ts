import type { Credential, Secret } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { plural } from "../../support/plural.ts";
import { ago, duration, until } from "../relativeTime.ts";
import { contextValue } from "./contextValue.ts";
import { isOld } from "./credentialWarnings.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** Where a secret came from, in a word people use. */
const ORIGINS: Readonly<Record<Secret["origin"], string>> = {
  initial: t("generated password"),
  typed: t("typed password"),
  pairing: t("pairing"),
  rotation: t("rotation"),
};

/** The row above a credential's secrets; `failure` says why they could not be listed. */
export function secretsRow(credential: Credential, failure: string | undefined): Row {
  const { secrets_active: active, secrets_grace: grace } = credential;
  const old =
    grace === 0
      ? ""
      : t({ message: "{0} old", args: [grace], comment: "{0} is a number of secrets" });
  const all = active + grace;
  const description = failure ?? joinDots(String(all), old);
  return {
    label: t("Secrets"),
    description,
    icon: { name: "lock" },
    context: contextValue("secrets"),
    children: "collapsed",
    spoken: joinSpoken(
      plural(all, t("{0} secret", all), t("{0} secrets", all)),
      old,
      failure ?? "",
    ),
  };
}

/** What a secret's row depends on. */
export interface SecretFacts {
  readonly secret: Secret;
  /** The host that alone may use it; empty when many may. */
  readonly host: string;
  /** 0: never. */
  readonly warnAfterDays: number;
  readonly nowMs: number;
}

/** A secret's row. Its value is known to nobody but the host. */
export function secretRow(facts: SecretFacts): Row {
  const { secret, host, nowMs } = facts;
  const label = ORIGINS[secret.origin];
  const bound = host || (secret.single_use ? t("not used by a host yet") : t("any host"));
  const use =
    secret.last_used_at === null ? t("never used") : t("used {0}", ago(secret.last_used_at, nowMs));
  const state = stateText(facts);
  return {
    label,
    // what needs attention first: a narrow side bar cuts the rest off
    description: joinDots(state, bound, use),
    icon: iconOf(facts),
    context: contextValue("secret", {
      [secret.state]: true,
      warned: secret.state === "active" && isOld(secret.created_at, facts.warnAfterDays, nowMs),
    }),
    children: "none",
    spoken: joinSpoken(
      t({ message: "{0} secret", args: [label], comment: "{0} says where it came from" }),
      state,
      bound,
      use,
    ),
  };
}

function stateText({ secret, warnAfterDays, nowMs }: SecretFacts): string {
  const end = secret.expires_at === null ? undefined : until(secret.expires_at, nowMs);
  if (secret.state === "grace") return end === undefined ? t("old") : t("old, ends {0}", end);
  if (secret.state === "revoked") return t("revoked");
  if (end !== undefined) return t("ends {0}", end);
  return isOld(secret.created_at, warnAfterDays, nowMs)
    ? t("{0} old", duration(nowMs - Date.parse(secret.created_at)))
    : "";
}

function iconOf({ secret, warnAfterDays, nowMs }: SecretFacts): RowIcon {
  if (secret.state === "revoked") return { name: "circle-slash", color: "disabledForeground" };
  const isWarned = secret.state === "grace" || isOld(secret.created_at, warnAfterDays, nowMs);
  return isWarned
    ? { name: "warning", color: "list.warningForeground" }
    : { name: secret.client_id === null ? "key" : "lock" };
}
