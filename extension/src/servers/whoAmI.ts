import { RportError } from "@rport/protocol/errors";
import type { Api } from "../api/http.ts";
import { EVERYTHING, type Rights } from "../model/rights.ts";

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
