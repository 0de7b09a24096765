import { type EventMessage, eventMessageSchema } from "@rport/protocol/events";
import type { Node } from "../../extension/src/model/node.ts";
import type { Row } from "../../extension/src/model/rows/row.ts";
import type { FleetChange } from "../../extension/src/servers/fleet.ts";
import type { ServerChange } from "../../extension/src/servers/serverChange.ts";
import { ClientsSource } from "../../extension/src/views/clients.ts";
import { contextOf, statusItemOf } from "../../extension/src/views/context.ts";
import { CredentialsSource } from "../../extension/src/views/credentials.ts";
import { DrawnRows } from "../../extension/src/views/drawnRows.ts";
import { rowOf } from "../../extension/src/views/rows.ts";
import type { Dirty } from "../../extension/src/views/source.ts";
import { TunnelsSource } from "../../extension/src/views/tunnels.ts";
import { fleetOf, RELAY } from "../unit/extension/fleetFixture.ts";

/**
 * All that the extension does with what one server tells, except for the editor's own part: the views'
 * sources, and the rows that the editor asks for when every group is open.
 */
export class ViewedFleet {
  readonly #fixture = fleetOf(RELAY);
  readonly arrangements = this.#fixture.arrangements;
  readonly clients = new ClientsSource(this.#fixture.context);
  readonly #sources = [
    this.clients,
    new CredentialsSource(this.#fixture.context),
    new TunnelsSource(this.#fixture.context),
  ];
  readonly #rows = { ...this.#fixture.rows, groups: this.clients };
  readonly #drawn = new DrawnRows<Row>({
    rowOf: (node) => rowOf(node, this.#rows),
    itemOf: (_, row) => row,
  });

  /** As the event socket does: text in, parsed, checked, applied, arranged. Answers what is stale. */
  receive(text: string): readonly Dirty[] {
    const message: EventMessage = eventMessageSchema.parse(JSON.parse(text));
    const server = this.#fixture.fleet.get(RELAY);
    const applied = server?.mirror.apply(message);
    if (server === undefined || applied === undefined) throw new Error("there is no server");
    if (applied.kind !== "reset" && applied.kind !== "changed") throw new Error(applied.kind);
    if (applied.kind === "reset") {
      server.clients.reset(server.mirror);
      return this.#tell({ kind: "reset" });
    }
    const changes = applied.changes.map((change) => ({
      change,
      rearranged: change.entity === "client" ? server.clients.update(change) : undefined,
    }));
    return this.#tell({ kind: "changed", changes });
  }

  #tell(change: ServerChange): readonly Dirty[] {
    const server = this.#fixture.fleet.get(RELAY);
    if (server === undefined) throw new Error("there is no server");
    const event: FleetChange = { kind: "server", server, change };
    const [ofClients = []] = this.#sources.map((source) => source.affected(event));
    return ofClients;
  }

  /** What follows a change after a moment: context keys and the status bar. */
  summarise(): void {
    contextOf(this.#fixture.fleet);
    statusItemOf(this.#fixture.fleet);
    this.clients.shown.counts();
  }

  /** Everything anew, as when the view is opened. Answers how many rows that were. */
  draw(): number {
    return this.#drawAll(this.clients.roots());
  }

  /** What is stale anew, as far as the editor shows it. */
  redraw(dirty: readonly Dirty[]): number {
    this.#drawn.outdate(dirty);
    if (dirty.some(({ kind }) => kind === "all" || kind === "roots")) return this.draw();
    let rows = 0;
    for (const each of dirty) {
      if (each.kind === "all" || each.kind === "roots" || !this.#drawn.has(each.node)) continue;
      if (each.kind !== "row") rows += this.#drawAll([each.node]);
      else if (this.#drawn.isOutdated(each.node)) rows += this.#drawAll([each.node]);
    }
    return rows;
  }

  #drawAll(nodes: readonly Node[]): number {
    let rows = 0;
    for (const node of nodes) {
      const row = this.#drawn.get(node);
      rows += 1;
      if (row.children === "expanded" || node.kind === "group")
        rows += this.#drawAll(this.clients.children(node));
    }
    return rows;
  }
}
