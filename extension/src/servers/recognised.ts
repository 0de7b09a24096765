import { t } from "@vscode/l10n";
import type { Access, AccessSource } from "../api/access.ts";
import type { ConnectionState } from "../model/connectionState.ts";
import type { Clock } from "../support/clock.ts";
import type { Server } from "./server.ts";

/** A server that is being connected to has shown its key in this time, or is taken for away. */
const SHOWN_MS = 20_000;

/** What is asked of a server before anything is sent to it. */
export type Recognisable = Pick<Server, "state" | "changed" | "access" | "name" | "retryNow">;

/** How somebody who wants to send something stands to a server that is away. */
export interface Wanting {
  readonly clock: Clock;
  /** Whether it is tried at once where it would be tried later: somebody waits, who tries once. */
  readonly isUrgent: boolean;
}

/**
 * Access to a server that has shown the key it should have, since the window was opened and since the last
 * connection to it broke; one that is being connected to is waited for. What people type, and what their
 * programs send, goes to no other.
 */
export function recognised(server: Recognisable, wanting: Wanting): AccessSource {
  return async () => {
    if (wanting.isUrgent) server.retryNow();
    const state = await shown(server, wanting.clock);
    if (state.kind === "connected") return await server.access();
    return withoutWay(server, state);
  };
}

/** The same for whoever waits for a configured server; undefined: there is none with this key. */
export function recognisedOf(
  fleet: { get(serverKey: string): Recognisable | undefined },
  serverKey: string,
  clock: Clock,
): AccessSource | undefined {
  const server = fleet.get(serverKey);
  return server === undefined ? undefined : recognised(server, { clock, isUrgent: true });
}

/** Why nothing is sent to a server whose key has changed, as a sentence. */
export function hasChanged({ name }: Pick<Server, "name">): string {
  return t("{0} answers with another key than before. Nothing is sent to it.", name);
}

function withoutWay(server: Recognisable, state: ConnectionState): Access {
  if (state.kind === "changed") return { kind: "unavailable", reason: hasChanged(server) };
  if (state.kind === "signedOut") return { kind: "noToken", why: state.why };
  const reason =
    state.kind === "waiting" ? state.reason : t("There is no connection to the server.");
  return { kind: "unavailable", reason };
}

/** Where it stands once it is not connecting any more, or after a while. */
function shown(server: Recognisable, clock: Clock): Promise<ConnectionState> {
  if (server.state.kind !== "connecting") return Promise.resolve(server.state);
  return new Promise((resolve) => {
    const finish = () => {
      timer.cancel();
      unsubscribe();
      resolve(server.state);
    };
    const timer = clock.after(SHOWN_MS, finish);
    const unsubscribe = server.changed.add(() => {
      if (server.state.kind !== "connecting") finish();
    });
  });
}
