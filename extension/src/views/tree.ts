import {
  type CancellationToken,
  EventEmitter,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  type TreeDragAndDropController,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  type ViewBadge,
  window,
} from "vscode";
import type { Node } from "../model/node.ts";
import type { Row } from "../model/rows/row.ts";
import type { Clock } from "../support/clock.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import { inertLine } from "../support/text.ts";
import { DrawnRows } from "./drawnRows.ts";
import { OldTooltips } from "./oldTooltips.ts";
import type { RowContext } from "./rowContext.ts";
import { rowOf, tooltipOf } from "./rows.ts";
import { ALL, type Dirty, type TreeSource } from "./source.ts";
import { type Stale, StaleRows } from "./staleRows.ts";
import { isTunnelNode, tunnelTooltipOf } from "./tunnelTooltips.ts";

const COLLAPSIBLE = {
  none: TreeItemCollapsibleState.None,
  collapsed: TreeItemCollapsibleState.Collapsed,
  expanded: TreeItemCollapsibleState.Expanded,
} as const;

/** Rows that may have thousands of others below them. */
const COUNTED: ReadonlySet<Node["kind"]> = new Set(["group", "rotation", "secrets"]);

/** What a tree is made with. */
export interface TreeDeps {
  readonly id: string;
  readonly source: TreeSource;
  readonly rows: RowContext;
  readonly clock: Clock;
  readonly log: Log;
  /** What its rows can be dragged onto. */
  readonly drop: TreeDragAndDropController<Node>;
}

/**
 * The one tree of the extension: three sources, the same rows, nothing polled; only what a source
 * says is not in the mirror is fetched, when somebody opens its row.
 */
export class Tree implements TreeDataProvider<Node> {
  readonly view: TreeView<Node>;
  readonly #deps: TreeDeps;
  readonly #emitter = new EventEmitter<Node | Node[] | undefined>();
  readonly onDidChangeTreeData = this.#emitter.event;
  readonly #drawn: DrawnRows<TreeItem>;
  readonly #stale: StaleRows;
  /** How many rows are being revealed. */
  #reveals = 0;
  readonly #oldTooltips: OldTooltips;

  constructor(deps: TreeDeps) {
    this.#deps = deps;
    this.#drawn = new DrawnRows({ rowOf: (node) => rowOf(node, deps.rows), itemOf });
    this.#stale = new StaleRows({ clock: deps.clock, draw: (stale) => this.#draw(stale) });
    this.#oldTooltips = new OldTooltips({
      clock: deps.clock,
      draw: (node) => this.invalidate([{ kind: "list", node }]),
    });
    this.view = window.createTreeView(deps.id, {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
      dragAndDropController: deps.drop,
    });
  }

  /** The view's id in the manifest. */
  get id(): string {
    return this.#deps.id;
  }

  /** Says what has to be shown anew. */
  invalidate(dirty: readonly Dirty[]): void {
    this.#drawn.outdate(dirty);
    this.#stale.add(dirty);
  }

  /** Shows everything anew at once. */
  redraw(): void {
    this.invalidate(ALL);
    this.#stale.flush();
  }

  /** Shows rows anew whose words depend on the time of day and have changed. */
  tick(): void {
    this.invalidate(this.#drawn.nodes.map((node) => ({ kind: "row", node })));
  }

  /** Shows a line above the rows; an empty one takes it away. */
  say(message: string): void {
    if ((this.view.message ?? "") !== message) this.view.message = message;
  }

  /** Shows a number on the view's icon; undefined takes it away. */
  showBadge(badge: ViewBadge | undefined): void {
    if (this.view.badge?.value !== badge?.value) this.view.badge = badge;
  }

  /**
   * Shows and selects a row, after the tree has been drawn with it. That it has gone meanwhile, or its
   * view is hidden, is nothing to interrupt anybody for; the log has it.
   */
  async reveal(node: Node, expand = false): Promise<void> {
    this.#stale.flush();
    this.#reveals += 1;
    try {
      await this.view.reveal(node, { select: true, focus: false, expand });
    } catch (error) {
      this.#deps.log.warn(`a row cannot be shown in ${this.#deps.id}: ${describeError(error)}`);
    } finally {
      this.#reveals -= 1;
    }
  }

  getChildren(node?: Node): Node[] | Promise<Node[]> {
    const { source } = this.#deps;
    if (node === undefined) return this.#roots();
    const loading = source.load?.(node);
    if (loading === undefined) return [...source.children(node)];
    return loading.then(() => {
      // what was fetched may say something about its row, too
      this.invalidate([{ kind: "row", node }]);
      return [...source.children(node)];
    });
  }

  getParent(node: Node): Node | undefined {
    return this.#deps.source.parent(node);
  }

  getTreeItem(node: Node): TreeItem {
    return this.#drawn.get(node);
  }

  async resolveTreeItem(item: TreeItem, node: Node, token: CancellationToken): Promise<TreeItem> {
    const { rows, clock } = this.#deps;
    // the item itself is given to the editor again, and then for another tooltip
    const resolved = new TreeItem(item.label ?? "");
    if (isTunnelNode(node)) {
      const isOver = () => token.isCancellationRequested;
      resolved.tooltip = new MarkdownString(await tunnelTooltipOf(node, { rows, clock, isOver }));
      this.#oldTooltips.made(node);
      return resolved;
    }
    const text = tooltipOf(node, rows);
    // a narrow view cuts descriptions off
    if (text === undefined) resolved.tooltip = inertLine(rowOf(node, rows).spoken);
    else resolved.tooltip = new MarkdownString(text, true);
    return resolved;
  }

  /** Removes the view. */
  dispose(): void {
    this.#stale.dispose();
    this.#oldTooltips.dispose();
    this.view.dispose();
    this.#emitter.dispose();
  }

  #roots(): Node[] {
    // for a reveal the editor asks for itself alone, and draws nothing
    if (this.#reveals === 0 && this.#stale.answered() === "all") this.#drawn.clear();
    return [...this.#deps.source.roots()];
  }

  #draw(stale: Stale): number {
    if (stale === "all" || stale === "roots") {
      const drawn = this.#drawn.size;
      if (stale === "all") this.#drawn.clear();
      this.#emitter.fire(undefined);
      return drawn;
    }
    const visible = stale.filter(({ node, isForced }) =>
      isForced ? this.#drawn.has(node) : this.#drawn.isOutdated(node),
    );
    if (visible.length > 0) this.#emitter.fire(visible.map(({ node }) => node));
    return visible.reduce((sum, { node }) => sum + 1 + this.#sizeOf(node), 0);
  }

  #sizeOf(node: Node): number {
    return COUNTED.has(node.kind) ? this.#deps.source.children(node).length : 0;
  }
}

function itemOf(node: Node, row: Row): TreeItem {
  // names come from hosts, and must not look like others
  const item = new TreeItem(inertLine(row.label), COLLAPSIBLE[row.children]);
  item.id = node.id;
  item.description = inertLine(row.description);
  item.contextValue = row.context;
  item.accessibilityInformation = { label: inertLine(row.spoken) };
  if (row.icon !== undefined) {
    const { name, color } = row.icon;
    item.iconPath = new ThemeIcon(name, color === undefined ? undefined : new ThemeColor(color));
  }
  return item;
}
