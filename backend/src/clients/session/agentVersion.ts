import type { LimitName } from "../../limits/limitTable.ts";

/** What RPort's version library takes: digits and dots, then anything behind a dash or plus. */
const VERSION = /^v?(\d{1,9}(?:\.\d{1,9}){0,5})(?:[-~+][0-9A-Za-z.~+-]{1,64})?$/;

/** Numbers of a version, the most important first. */
export type AgentVersion = readonly number[];

/** Clients of these versions answer a ping twice, so a ping would end their connection. */
const DOUBLE_REPLY_FROM: AgentVersion = [0, 8, 2];
const DOUBLE_REPLY_TO: AgentVersion = [0, 9, 6];

/** The first one with `tunnel_allowed`. Some before it read no request until they are in. */
const TUNNEL_RULES_FROM: AgentVersion = [0, 6, 4];

/** The numbers of a client's version, or undefined when it is none (an empty text included). */
export function parseAgentVersion(text: string): AgentVersion | undefined {
  return VERSION.exec(text)?.[1]?.split(".").map(Number);
}

/** An agent, as far as its version says what it can. */
export interface VersionedAgent {
  /** Undefined: it has not said yet. */
  readonly version: AgentVersion | undefined;
  /** Our agents count their versions apart from RPort's clients, which list no features. */
  readonly features: readonly string[];
}

/** False for the versions of RPort's client that answer each ping twice. */
export function canBePinged({ version, features }: VersionedAgent): boolean {
  return version === undefined || features.length > 0 || !answersPingTwice(version);
}

/** False for the versions of RPort's client that do not answer `check_tunnel_allowed`. */
export function hasTunnelRules({ version, features }: VersionedAgent): boolean {
  return version === undefined || features.length > 0 || knowsTunnelRules(version);
}

/** Which limit an agent's messages have; RPort's own clients list no features. */
export function messageLimitOf(isIn: boolean, features: readonly string[]): LimitName {
  if (!isIn) return "first_message_bytes";
  return features.length > 0 ? "message_bytes" : "plain_message_bytes";
}

/** Whether RPort's clients of this version answer each ping twice. */
export function answersPingTwice(version: AgentVersion): boolean {
  return compare(version, DOUBLE_REPLY_FROM) >= 0 && compare(version, DOUBLE_REPLY_TO) <= 0;
}

/** Whether RPort's clients of this version answer `check_tunnel_allowed`. */
export function knowsTunnelRules(version: AgentVersion): boolean {
  return compare(version, TUNNEL_RULES_FROM) >= 0;
}

function compare(a: AgentVersion, b: AgentVersion): number {
  for (let part = 0; part < Math.max(a.length, b.length); part++) {
    const difference = (a[part] ?? 0) - (b[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
