import { t } from "@vscode/l10n";
import { type ConfigurationChangeEvent, type Disposable, window, workspace } from "vscode";
import { SECTION, SETTINGS, VIEWS } from "../manifest.ts";
import { statusOf } from "../model/arrange.ts";
import type { Node, Nodes } from "../model/node.ts";
import { type ClientPart, partsOf } from "../model/rows/clientParts.ts";
import { joinDots } from "../model/rows/row.ts";
import type { TagDropped } from "../model/shown/tagDropped.ts";
import type { Fleet, FleetChange } from "../servers/fleet.ts";
import { isAway } from "../servers/server.ts";
import type { Clock, Timer } from "../support/clock.ts";
import { Listeners } from "../support/listeners.ts";
import type { Log } from "../support/log.ts";
import type { LocalTunnel } from "../tunnels/localTunnel.ts";
import type { Arrangements, Rearrangement } from "./arrangements.ts";
import { ClientsSource } from "./clients.ts";
import {
  contextOf,
  filterContext,
  filterMessage,
  hiddenMessage,
  joinsBadge,
  pinnedBadge,
  statusItemOf,
  viewMessage,
} from "./context.ts";
import { ContextKeys } from "./contextKeys.ts";
import { CredentialsSource } from "./credentials.ts";
import { drawingOf } from "./lastShown/drawing.ts";
import type { LastFolder } from "./lastShown/folder.ts";
import { LastShown } from "./lastShown/lastShown.ts";
import { LastTree } from "./lastShown/lastTree.ts";
import type { RowContext } from "./rowContext.ts";
import { ALL, type TreeSource } from "./source.ts";
import { StatusBar } from "./statusBar.ts";
import { NO_DROP, tagDrop } from "./tagDrop.ts";
import { Tree } from "./tree.ts";
import { TunnelsSource } from "./tunnels.ts";
import { UsersSource } from "./users.ts";

/** Context keys, messages and the status bar follow after this long, once for many changes. */
const SUMMARY_MS = 30;
/** How long the status bar says what was done. */
const SAID_MS = 5_000;
/** "8 min ago" is told in minutes. */
const TICK_MS = 60_000;

/** What the views need. */
export interface ViewsDeps {
  readonly fleet: Fleet;
  readonly nodes: Nodes;
  readonly arrangements: Arrangements;
  /** Where the rows of last time are kept. */
  readonly lastFolder: LastFolder;
  readonly clock: Clock;
  readonly log: Log;
}

interface SourcedTree {
  readonly tree: Tree;
  readonly source: TreeSource;
}

/** The trees, the status bar item, and the context keys, kept up to date with the fleet. */
export class Views {
  /** Clients were dragged onto a tag. */
  readonly tagDropped = new Listeners<TagDropped>();
  readonly #deps: ViewsDeps;
  readonly #lastShown: LastShown;
  readonly #last: LastTree;
  readonly #clientsSource: ClientsSource;
  readonly #rows: RowContext;
  readonly #clients: SourcedTree;
  readonly #credentials: SourcedTree;
  readonly #tunnels: SourcedTree;
  readonly #users: SourcedTree;
  readonly #statusBar = new StatusBar();
  readonly #contextKeys = new ContextKeys();
  readonly #settings: Disposable;
  /** By server, whether it was away when it was last heard of. */
  readonly #away = new Map<string, boolean>();
  #warnAfterDays = 0;
  #clientParts = clientParts();
  #summary: Timer | undefined;
  #tick: Timer;

  constructor(deps: ViewsDeps) {
    this.#deps = deps;
    this.#lastShown = new LastShown({ ...deps, folder: deps.lastFolder });
    this.#last = new LastTree({ ...deps, lastShown: this.#lastShown });
    this.#clientsSource = new ClientsSource({ ...deps, last: this.#last });
    this.#rows = this.#rowContext();
    const drop = tagDrop((dropped) => this.tagDropped.emit(dropped));
    this.#clients = this.#create(VIEWS.clients, this.#clientsSource, drop);
    this.#credentials = this.#create(VIEWS.credentials, new CredentialsSource(deps));
    this.#tunnels = this.#create(VIEWS.tunnels, new TunnelsSource(deps));
    this.#users = this.#create(VIEWS.users, new UsersSource(deps));
    deps.fleet.changed.add((event) => this.#changed(event));
    this.#keepLast();
    deps.arrangements.hideOffline(hidesOffline());
    deps.arrangements.changed.add((what) => this.#rearranged(what));
    this.#settings = workspace.onDidChangeConfiguration((event) => this.#setUp(event));
    this.#tick = this.#startTick();
    this.#summarise();
  }

  /** Shows and selects a client in the clients view. */
  async revealClient(serverKey: string, clientId: string): Promise<void> {
    if (this.#deps.fleet.client(serverKey, clientId) === undefined) return;
    this.#unhide(serverKey, clientId);
    const parts = { kind: "client", serverKey, clientId, place: "clients" } as const;
    const node = this.#deps.nodes.get(parts);
    await this.#clients.tree.reveal(node);
  }

  /** Shows and selects a credential, with what is below it. */
  async revealCredential(serverKey: string, authId: string): Promise<void> {
    const node = this.#deps.nodes.get({ kind: "credential", serverKey, authId });
    await this.#credentials.tree.reveal(node, true);
  }

  /** Shows and selects a tunnel in the tunnels view. */
  async revealTunnel({ serverKey, clientId, id }: LocalTunnel): Promise<void> {
    const parts = { kind: "localTunnel", serverKey, clientId, tunnelId: id } as const;
    const node = this.#deps.nodes.get(parts);
    await this.#tunnels.tree.reveal(node);
  }

  /** What is in the rows of the clients view that stand for several clients. */
  get groups(): ClientsSource {
    return this.#clientsSource;
  }

  /** What is selected in a view, by its id; nothing in one that is not ours. */
  selectionOf(id: string): readonly Node[] {
    return this.#trees.find(({ tree }) => tree.id === id)?.tree.view.selection ?? [];
  }

  /** What is fetched of the users of a server has changed: it is fetched again where it is shown. */
  refreshUsers(): void {
    this.#users.tree.invalidate(ALL);
  }

  /** Removes everything. */
  dispose(): void {
    this.#summary?.cancel();
    this.#tick.cancel();
    this.#settings.dispose();
    this.#lastShown.dispose();
    this.#statusBar.dispose();
    for (const { tree } of this.#trees) tree.dispose();
  }

  get #trees(): readonly SourcedTree[] {
    return [this.#clients, this.#credentials, this.#tunnels, this.#users];
  }

  #create(id: string, source: TreeSource, drop = NO_DROP): SourcedTree {
    const { clock, log } = this.#deps;
    return { source, tree: new Tree({ id, source, rows: this.#rows, clock, log, drop }) };
  }

  #rowContext(): RowContext {
    const { fleet, clock, arrangements } = this.#deps;
    return {
      fleet,
      now: () => clock.now(),
      warnAfterDays: () => this.#warnAfterDays,
      clientParts: () => this.#clientParts,
      groups: this.#clientsSource,
      isPinned: (serverKey, clientId) => arrangements.isPinned(serverKey, clientId),
      last: this.#last,
    };
  }

  #keepLast(): void {
    const { arrangements } = this.#deps;
    this.#lastShown.keepFrom((server) =>
      drawingOf(server, this.#clientsSource, {
        rows: this.#rows,
        filter: arrangements.filterText,
      }),
    );
    this.#lastShown.changed.add(() => {
      this.#clients.tree.redraw();
      this.#summarise();
    });
  }

  #changed(event: FleetChange): void {
    if (this.#hasTurned(event)) for (const { tree } of this.#trees) tree.invalidate(ALL);
    for (const { tree, source } of this.#trees) tree.invalidate(source.affected(event));
    this.#summary ??= this.#deps.clock.after(SUMMARY_MS, () => this.#summarise());
  }

  /** Makes sure that a client has a row, and says what was done for it. */
  #unhide(serverKey: string, clientId: string): void {
    const { arrangements, fleet } = this.#deps;
    const { shown } = this.#clientsSource;
    const client = fleet.client(serverKey, clientId);
    if (client === undefined || !shown.isHidden(serverKey, clientId)) return;
    if (arrangements.hidesOffline && statusOf(client) === "offline") {
      arrangements.want(serverKey, clientId);
      window.setStatusBarMessage(t("This client is shown although it is offline."), SAID_MS);
    }
    if (!shown.isHidden(serverKey, clientId)) return;
    arrangements.setFilter("");
    window.setStatusBarMessage(t("The filter was cleared to show this client."), SAID_MS);
  }

  #setUp(event: ConfigurationChangeEvent): void {
    if (event.affectsConfiguration(SECTION)) this.#summarise();
    if (event.affectsConfiguration(`${SECTION}.${SETTINGS.showOffline}`)) {
      this.#deps.arrangements.hideOffline(hidesOffline());
    }
    if (!event.affectsConfiguration(`${SECTION}.${SETTINGS.clientParts}`)) return;
    this.#clientParts = clientParts();
    this.#clients.tree.tick();
  }

  /** Somebody is looking at what comes of it, so nothing is gathered first. */
  #rearranged(what: Rearrangement): void {
    if (this.#deps.arrangements.isAsked) this.#clientsSource.shown.prepareFilter();
    if (what !== "words") {
      this.#clientsSource.shown.rearrange(what);
      this.#clients.tree.redraw();
    }
    this.#summarise();
  }

  /** Whether a server has gone away or come back, which every row of it shows. */
  #hasTurned(event: FleetChange): boolean {
    if (event.kind !== "server") return false;
    const { key } = event.server;
    const before = this.#away.get(key) ?? true;
    this.#away.set(key, isAway(event.server));
    return before !== isAway(event.server);
  }

  #summarise(): void {
    this.#summary?.cancel();
    this.#summary = undefined;
    const { fleet, arrangements } = this.#deps;
    const counts = this.#clientsSource.shown.counts();
    const { filterText } = arrangements;
    const hasPinned = fleet.servers.some(({ key }) => arrangements.pinnedOf(key).size > 0);
    const filtering = filterContext(arrangements, counts);
    this.#contextKeys.update({ ...contextOf(fleet), ...filtering, hasPinned });
    this.#clients.tree.showBadge(pinnedBadge(fleet, arrangements));
    const message = viewMessage(fleet) ?? "";
    for (const { tree } of [this.#credentials, this.#tunnels, this.#users]) tree.say(message);
    const filtered = filterMessage(filterText, { ...counts, servers: fleet.servers.length });
    const now = this.#deps.clock.now();
    const withLast = viewMessage(fleet, { now, of: (server) => this.#last.atMs(server) }) ?? "";
    const hidden = hiddenMessage({ ...counts, servers: fleet.servers.length });
    this.#clients.tree.say([joinDots(filtered, hidden), withLast].filter(Boolean).join(" "));
    this.#credentials.tree.showBadge(joinsBadge(fleet));
    const configuration = workspace.getConfiguration(SECTION);
    const isVisible = configuration.get<boolean>(SETTINGS.statusBarVisible, true);
    this.#statusBar.update(isVisible ? statusItemOf(fleet) : undefined);
    const days = configuration.get<number>(SETTINGS.warnAfterDays, 0);
    if (days === this.#warnAfterDays) return;
    this.#warnAfterDays = days;
    this.#credentials.tree.tick();
  }

  #startTick(): Timer {
    return this.#deps.clock.after(TICK_MS, () => {
      for (const { tree } of this.#trees) if (tree.view.visible) tree.tick();
      this.#summarise();
      this.#tick = this.#startTick();
    });
  }
}

/** Whether clients that are offline are hidden, as the settings say now. */
function hidesOffline(): boolean {
  return workspace.getConfiguration(SECTION).get(SETTINGS.showOffline) === false;
}

/** What stands behind a client's name, as the settings say now. */
function clientParts(): readonly ClientPart[] {
  return partsOf(workspace.getConfiguration(SECTION).get(SETTINGS.clientParts));
}
