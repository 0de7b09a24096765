import { RportError } from "@rport/protocol/errors";
import { z } from "zod";
import { jsonOf, type ServiceAnswer } from "./askService.ts";
import { serviceTrouble } from "./serviceTrouble.ts";

/** What RPort's pairing service is given. Its scripts quote these values badly, hence the rules below. */
export interface RportDeposit {
  readonly connect_url: string;
  /** RPort's MD5 form: 47 characters. */
  readonly fingerprint: string;
  readonly client_id: string;
  readonly password: string;
}

/** Values that stand in a shell and in PowerShell as they are, however they are quoted. */
const RULES = {
  client_id: /^[A-Za-z0-9][A-Za-z0-9._-]{2,63}$/,
  password: /^[A-Za-z0-9_-]{32,128}$/,
  connect_url: /^https?:\/\/[A-Za-z0-9.:[\]_/-]{1,500}$/,
  fingerprint: /^[0-9a-f]{2}(:[0-9a-f]{2}){15}$/,
} as const satisfies Record<keyof RportDeposit, RegExp>;

const NAMES: Readonly<Record<keyof RportDeposit, string>> = {
  client_id: "The credential's name",
  password: "The secret",
  connect_url: "This server's address",
  fingerprint: "The server's fingerprint",
};

/** Nobody gives a code for longer. */
const EXPIRY_MAX_MS = 3_600_000;

const answerSchema = z.object({ pairing_code: z.string(), expires: z.string() });

/** A code, and until when it works, in milliseconds since the epoch. */
export interface RportCode {
  readonly code: string;
  readonly expiresAtMs: number;
}

/** Throws `PAIRING_UNFIT` naming the value that RPort's pairing service cannot carry. */
export function requireCarried(deposit: RportDeposit): void {
  for (const [name, rule] of Object.entries(RULES)) {
    const key = name as keyof RportDeposit;
    if (rule.test(deposit[key])) continue;
    const why = "has characters that RPort's pairing service does not carry unchanged";
    throw new RportError("PAIRING_UNFIT", `${NAMES[key]} ${why}.`);
  }
}

/** Reads the answer to a deposit. Throws `PAIRING_SERVICE` for one that is not what it should be. */
export function readCode(answer: ServiceAnswer, url: string, nowMs: number): RportCode {
  if (answer.status !== 200) throw serviceTrouble(url, "refused", { said: answer.text });
  const parsed = answerSchema.safeParse(jsonOf(answer, url));
  if (!parsed.success) throw serviceTrouble(url, "not-json");
  const { pairing_code: code, expires } = parsed.data;
  if (!/^[0-9A-Za-z]{6,64}$/.test(code)) throw serviceTrouble(url, "bad-code");
  const expiresAtMs = Date.parse(expires);
  const isTrue = expiresAtMs > nowMs && expiresAtMs < nowMs + EXPIRY_MAX_MS;
  if (!isTrue) throw serviceTrouble(url, "past-expiry");
  return { code, expiresAtMs };
}

/**
 * Whether a script gives each of the values to a variable once, hence has the right ones and no others'
 * quoting, and says the secret nowhere else. What else it says may well contain a credential's name.
 */
export function isMadeOf(script: string, deposit: RportDeposit): boolean {
  const assigned = [...script.matchAll(/^[ \t]*\$?\w+[ \t]*=[ \t]*"([^"\n]*)"[ \t]*\r?$/gm)];
  const isOnce = (value: string) => assigned.filter(([, given]) => given === value).length === 1;
  return Object.values(deposit).every(isOnce) && script.split(deposit.password).length === 2;
}
