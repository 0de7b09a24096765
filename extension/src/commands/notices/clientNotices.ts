import { t } from "@vscode/l10n";
import { commands, window } from "vscode";
import { COMMANDS, VIEWS } from "../../manifest.ts";
import { displayName } from "../../model/arrange.ts";
import type { Nodes } from "../../model/node.ts";
import type { Fleet, FleetChange } from "../../servers/fleet.ts";
import type { Server } from "../../servers/server.ts";
import type { Clock, Timer } from "../../support/clock.ts";
import { describeError } from "../../support/describeError.ts";
import type { Unsubscribe } from "../../support/listeners.ts";
import type { Log } from "../../support/log.ts";
import { plural } from "../../support/plural.ts";
import { nameSome, plainText } from "../../support/text.ts";
import type { Told } from "../personalSettings.ts";
import { ComingsAndGoings, type News, SETTLED_MS } from "./comingsAndGoings.ts";

/** Hosts that a message names; more of them are counted. */
const NAMES_MAX = 3;

/** What the notices need. */
export interface ClientNoticesDeps {
  readonly fleet: Pick<Fleet, "changed" | "get" | "servers">;
  readonly nodes: Nodes;
  readonly clock: Clock;
  readonly log: Log;
  readonly isPinned: (serverKey: string, clientId: string) => boolean;
  readonly told: () => Told;
}

/**
 * Tells, in the window that somebody looks at, of clients that went offline or came back, when that lasts: all of
 * a server in one message, and that at most every `SETTLED_MS`. It does not wait for the message of before, which
 * may lie unread among the editor's notifications for hours.
 */
export class ClientNotices {
  readonly #deps: ClientNoticesDeps;
  readonly #seen = new Map<string, ComingsAndGoings>();
  readonly #unsubscribe: Unsubscribe;
  #timer: Timer | undefined;

  constructor(deps: ClientNoticesDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.fleet.changed.add((event) => this.#take(event));
  }

  /** Tells of nobody any more. */
  dispose(): void {
    this.#unsubscribe();
    this.#timer?.cancel();
  }

  #take(event: FleetChange): void {
    if (event.kind === "servers") this.#forgetOthers();
    if (event.kind !== "server") return;
    const { server, change } = event;
    if (change.kind === "reset") this.#seenOf(server).reset(server.mirror.maps.clients);
    if (change.kind === "changed") {
      for (const { change: swap } of change.changes) {
        if (swap.entity === "client") this.#seenOf(server).change(swap.id, swap.after);
      }
    }
    this.#lookLater();
  }

  #seenOf({ key }: Server): ComingsAndGoings {
    const seen = this.#seen.get(key) ?? new ComingsAndGoings(this.#deps.clock);
    this.#seen.set(key, seen);
    return seen;
  }

  #forgetOthers(): void {
    for (const key of this.#seen.keys()) {
      if (this.#deps.fleet.get(key) === undefined) this.#seen.delete(key);
    }
  }

  #lookLater(): void {
    if (this.#timer !== undefined) return;
    if (![...this.#seen.values()].some(({ isPending }) => isPending)) return;
    this.#timer = this.#deps.clock.after(SETTLED_MS, () => {
      this.#timer = undefined;
      for (const server of this.#deps.fleet.servers) this.#look(server);
      this.#lookLater();
    });
  }

  /** What a server that is away told last may be over; it is looked at when the server is back. */
  #look(server: Server): void {
    if (server.state.kind !== "connected") return;
    const clientOf = (id: string) => server.mirror.maps.clients.get(id);
    const news = this.#seenOf(server).news(clientOf);
    const told = this.#deps.told();
    if (told === "off" || !window.state.focused) return;
    const isMeant = ({ id }: { readonly id: string }) =>
      told === "all" || this.#deps.isPinned(server.key, id);
    const meant = { gone: news.gone.filter(isMeant), back: news.back.filter(isMeant) };
    if (meant.gone.length + meant.back.length === 0) return;
    this.#tell(server, meant).catch((error: unknown) =>
      this.#deps.log.warn("nobody was told of clients", { why: describeError(error) }),
    );
  }

  async #tell(server: Server, { gone, back }: News): Promise<void> {
    const show = t("Show");
    const why = t("Why?");
    const [first] = gone;
    const isOne = gone.length === 1 && back.length === 0;
    const texts = [goneText(gone), backText(back)].filter((text) => text !== "").join(" ");
    const chosen =
      gone.length === 0
        ? await window.showInformationMessage(texts, show)
        : await window.showWarningMessage(texts, ...(isOne ? [why, show] : [show]));
    if (chosen === show) await commands.executeCommand(`${VIEWS.clients}.focus`);
    if (chosen !== why || first === undefined) return;
    const [serverKey, clientId] = [server.key, first.id];
    const node = this.#deps.nodes.get({ kind: "client", serverKey, clientId, place: "clients" });
    await commands.executeCommand(COMMANDS.showWhyOffline, node);
  }
}

function goneText(clients: News["gone"]): string {
  if (clients.length === 0) return "";
  const [names, n] = [namesOf(clients), clients.length];
  return plural(n, t("{0} went offline.", names), t("{0} clients went offline: {1}.", n, names));
}

function backText(clients: News["back"]): string {
  if (clients.length === 0) return "";
  const [names, n] = [namesOf(clients), clients.length];
  return plural(
    n,
    t("{0} is online again.", names),
    t("{0} clients are online again: {1}.", n, names),
  );
}

function namesOf(clients: News["gone"]): string {
  return nameSome(
    clients.map((client) => plainText(displayName(client))),
    NAMES_MAX,
  );
}
