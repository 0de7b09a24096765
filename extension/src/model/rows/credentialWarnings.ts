import type { Credential } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { ago, duration } from "../relativeTime.ts";

/** More hosts than this on one secret are worth a warning: a leak would touch them all. */
const SHARED_MAX = 5;
const DAY_MS = 86_400_000;
/** A flood is told of for a day. */
const FLOOD_SHOWN_MS = DAY_MS;

/** What the warnings of a credential depend on. */
export interface WarningFacts {
  readonly credential: Credential;
  /** The most clients that share one of its secrets. */
  readonly sharing: number;
  /** 0: never. */
  readonly warnAfterDays: number;
  readonly nowMs: number;
}

/** Something about a credential that somebody should look at. */
export interface Warning {
  /** A few words for the row. */
  readonly short: string;
  /** What it means, and what to do about it. */
  readonly sentence: string;
}

/** The warnings of a credential, the most urgent one first. */
export function warningsOf(facts: WarningFacts): readonly Warning[] {
  return [flooded(facts) ?? crowded(facts), shared(facts), old(facts)].filter(
    (warning) => warning !== undefined,
  );
}

function flooded({ credential, nowMs }: WarningFacts): Warning | undefined {
  const { flooded_at: at } = credential;
  if (at === null || nowMs - Date.parse(at) > FLOOD_SHOWN_MS) return undefined;
  return {
    short: t("flooded {0}", ago(at, nowMs)),
    sentence: t(
      "More clients than usual tried to join with it. If nobody is installing hosts, the secret may have leaked: rotate it.",
    ),
  };
}

function crowded({ credential, nowMs }: WarningFacts): Warning | undefined {
  const { crowded_at: at } = credential;
  if (at === null || nowMs - Date.parse(at) > FLOOD_SHOWN_MS) return undefined;
  return {
    short: t("many new clients {0}", ago(at, nowMs)),
    sentence: t(
      "More new clients than usual came in with it. If nobody is installing hosts, the secret may have leaked: rotate it.",
    ),
  };
}

function shared({ sharing }: WarningFacts): Warning | undefined {
  if (sharing <= SHARED_MAX) return undefined;
  return {
    short: t("{0} clients share a secret", sharing),
    sentence: t(
      "{0} clients share one secret, so a leak on one touches all of them. Use one pairing per host: choose Install Client for each, or rotate, which gives every host a secret of its own.",
      sharing,
    ),
  };
}

function old({ credential, warnAfterDays, nowMs }: WarningFacts): Warning | undefined {
  const isInUse = credential.clients_total > 0 && credential.rotation === null;
  if (!isInUse) return undefined;
  const since = credential.rotated_at ?? credential.created_at;
  if (!isOld(since, warnAfterDays, nowMs)) return undefined;
  const age = duration(nowMs - Date.parse(since));
  return {
    short: credential.rotated_at === null ? t("never rotated, {0} old", age) : t("rotate again"),
    sentence: t("It was not rotated for {0}. Rotating disconnects nobody.", age),
  };
}

/** Whether something of this time is older than the setting allows; 0 days: never. */
export function isOld(time: string, warnAfterDays: number, nowMs: number): boolean {
  return warnAfterDays > 0 && nowMs - Date.parse(time) > warnAfterDays * DAY_MS;
}
