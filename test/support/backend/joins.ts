import type { Join } from "@rport/protocol/join";
import { expect } from "vitest";
import { eventually } from "../eventually.ts";
import type { TestApi } from "./api.ts";

/** As much of a backend as these need. */
export type JoinsApi = { readonly api: TestApi["call"] };

/** The only client that waits, as soon as there is one. */
export function oneJoin({ api }: JoinsApi): Promise<Join> {
  return eventually(async () => {
    const [join, ...others] = await api("listJoins");
    if (join === undefined || others.length > 0) throw new Error("not one client waits");
    return join;
  });
}

/** How an agent's introduction ends: with the server's text, or "in". */
export function endOf(joining: Promise<unknown>): Promise<string> {
  return joining.then(
    () => "in",
    (error: Error) => error.message,
  );
}

/** Resolves when the client is on record as away. */
export async function isAway({ api }: JoinsApi, clientId: string): Promise<void> {
  await eventually(async () => {
    const { connection_state } = await api("getClient", { params: { clientId } });
    expect(connection_state).toBe("disconnected");
  });
}
