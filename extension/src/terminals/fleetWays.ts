import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import type { Access } from "../api/access.ts";
import { statusOf } from "../model/arrange.ts";
import type { MirrorChange } from "../model/mirror.ts";
import type { Fleet, FleetChange } from "../servers/fleet.ts";
import { hasChanged, recognised } from "../servers/recognised.ts";
import type { Server } from "../servers/server.ts";
import type { Clock } from "../support/clock.ts";
import type { Session } from "./session.ts";

/** A terminal of this window, as far as the way to it goes. */
export interface OnItsWay {
  readonly place: { readonly serverKey: string; readonly clientId: string };
  readonly terminal: { readonly session: Pick<Session, "nudge" | "interrupt" | "refuse"> };
}

/** How to get to a terminal: `gone` is for good, with a sentence. */
export type Way = Access | { readonly kind: "gone"; readonly reason: string };

/** Where the terminals of a server are reached, if it is the one that it should be. */
export function wayTo(
  serverKey: string,
  { fleet, clock }: { readonly fleet: Pick<Fleet, "get">; readonly clock: Clock },
): () => Promise<Way> {
  return async () => {
    const server = fleet.get(serverKey);
    if (server === undefined) return { kind: "gone", reason: notYours() };
    const access = await recognised(server, { clock, isUrgent: false })();
    const isOut = access.kind === "noToken" && access.why === undefined;
    return isOut ? { kind: "gone", reason: signedOut() } : access;
  };
}

/**
 * Has terminals follow their servers: they try again when their server or host is back, send nothing to a
 * server whose key has changed, and end with the sign-in, or with their server.
 */
export function followFleet(
  change: FleetChange,
  fleet: Pick<Fleet, "get">,
  terminals: Iterable<OnItsWay>,
): void {
  if (change.kind === "servers") {
    for (const { place, terminal } of [...terminals]) {
      if (fleet.get(place.serverKey) === undefined) terminal.session.refuse(notYours());
    }
  }
  if (change.kind !== "server") return;
  const { server } = change;
  const its = [...terminals].filter(({ place }) => place.serverKey === server.key);
  if (change.change.kind === "state") followState(server, its);
  if (change.change.kind !== "changed") return;
  const back = new Set(change.change.changes.flatMap((each) => cameBack(each.change)));
  for (const { place, terminal } of its) if (back.has(place.clientId)) terminal.session.nudge();
}

function followState(server: Server, its: readonly OnItsWay[]): void {
  const { state } = server;
  for (const { terminal } of its) {
    if (state.kind === "connected") terminal.session.nudge();
    else if (state.kind === "changed") terminal.session.interrupt(hasChanged(server));
    // where the token could not be read, nobody has signed out
    else if (state.kind === "signedOut" && state.why === undefined) {
      terminal.session.refuse(signedOut());
    }
  }
}

/** The id of the client that was away before this, if it is one. */
function cameBack(change: MirrorChange): readonly string[] {
  if (change.entity !== "client") return [];
  const { id, before, after } = change;
  return after !== undefined && !isAway(after) && (before === undefined || isAway(before))
    ? [id]
    : [];
}

function isAway(client: Client): boolean {
  return statusOf(client) === "offline";
}

function notYours(): string {
  return t("Its server is not among yours any more.");
}

function signedOut(): string {
  return t("You are not signed in.");
}
