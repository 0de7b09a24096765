import { RportError } from "@rport/protocol/errors";
import type { Api } from "../api/http.ts";
import { EVERYTHING, type Rights } from "../model/rights.ts";
import type { Clock } from "../support/clock.ts";

/** How long a server is given to say why it refuses, in milliseconds. */
const REASON_MS = 500;

/** What became of the question who one is. */
export type WhoAmI =
  | { readonly kind: "known"; readonly rights: Rights }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "lost"; readonly reason: string };

/** Asks a server who one is there. A server from before there were users has one who may everything. */
export async function askWhoIAm(api: Pick<Api, "call">): Promise<WhoAmI> {
  try {
    return { kind: "known", rights: await api.call("getMe") };
  } catch (caught) {
    const { code, message } = RportError.from(caught);
    if (code === "NOT_FOUND" || code === "NOT_BUILT") return { kind: "known", rights: EVERYTHING };
    return { kind: code === "UNAUTHORIZED" ? "refused" : "lost", reason: message };
  }
}

/**
 * Why a server refuses a sign-in, in its own words: they are more than the word for programs that
 * ended the connection. Undefined when it does not say so in a moment.
 */
export async function askWhyRefused(
  api: Pick<Api, "call">,
  clock: Pick<Clock, "after">,
): Promise<string | undefined> {
  const patience = Promise.withResolvers<undefined>();
  const timer = clock.after(REASON_MS, () => patience.resolve(undefined));
  const me = await Promise.race([askWhoIAm(api), patience.promise]);
  timer.cancel();
  return me?.kind === "refused" ? me.reason : undefined;
}
