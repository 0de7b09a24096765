import type { Credential, Secret } from "@rport/protocol/model";
import { count } from "../../support/text.ts";
import { ago, duration, until } from "../relativeTime.ts";
import { contextValue } from "./contextValue.ts";
import { isOld } from "./credentialWarnings.ts";
import { joinDots, joinSpoken, type Row, type RowIcon } from "./row.ts";

/** Where a secret came from, in a word people use. */
const ORIGINS: Readonly<Record<Secret["origin"], string>> = {
  initial: "generated password",
  typed: "typed password",
  pairing: "pairing",
  rotation: "rotation",
};

/** The row above a credential's secrets; `failure` says why they could not be listed. */
export function secretsRow(credential: Credential, failure: string | undefined): Row {
  const { secrets_active: active, secrets_grace: grace } = credential;
  const old = grace === 0 ? "" : `${grace} old`;
  const description = failure ?? joinDots(String(active + grace), old);
  return {
    label: "Secrets",
    description,
    icon: { name: "lock" },
    context: contextValue("secrets"),
    children: "collapsed",
    spoken: joinSpoken(count(active + grace, "secret"), old, failure ?? ""),
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
  const bound = host || (secret.single_use ? "not used by a host yet" : "any host");
  const use =
    secret.last_used_at === null ? "never used" : `used ${ago(secret.last_used_at, nowMs)}`;
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
    spoken: joinSpoken(`${label} secret`, state, bound, use),
  };
}

function stateText({ secret, warnAfterDays, nowMs }: SecretFacts): string {
  const ends = secret.expires_at === null ? "" : `, ends ${until(secret.expires_at, nowMs)}`;
  if (secret.state === "grace") return `old${ends}`;
  if (secret.state === "revoked") return "revoked";
  if (ends !== "") return ends.slice(2);
  return isOld(secret.created_at, warnAfterDays, nowMs)
    ? `${duration(nowMs - Date.parse(secret.created_at))} old`
    : "";
}

function iconOf({ secret, warnAfterDays, nowMs }: SecretFacts): RowIcon {
  if (secret.state === "revoked") return { name: "circle-slash", color: "disabledForeground" };
  const isWarned = secret.state === "grace" || isOld(secret.created_at, warnAfterDays, nowMs);
  return isWarned
    ? { name: "warning", color: "list.warningForeground" }
    : { name: secret.client_id === null ? "key" : "lock" };
}
