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
