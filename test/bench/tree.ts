import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type EventMessage, eventMessageSchema } from "@rport/protocol/events";
import { secretIdSchema } from "@rport/protocol/ids";
import type { Client } from "@rport/protocol/model";
import { ArrangedClients } from "../../extension/src/model/arrange.ts";
import { Mirror } from "../../extension/src/model/mirror.ts";
import { type Node, Nodes } from "../../extension/src/model/node.ts";
import { clientRow } from "../../extension/src/model/rows/clientRow.ts";
import type { Row } from "../../extension/src/model/rows/row.ts";
import { parseFilter } from "../../extension/src/model/shown/filter.ts";
import { ShownClients, USUAL } from "../../extension/src/model/shown/shownClients.ts";
import type { Arrangements } from "../../extension/src/views/arrangements.ts";
import { client, credential } from "../unit/extension/entities.ts";
import { RELAY } from "../unit/extension/fleetFixture.ts";
import { type Bench, quantile, runBench } from "./harness.ts";
import { atMost, number } from "./report.ts";
import { ViewedFleet } from "./viewedFleet.ts";

const HOSTS = 10_000;
const ROUNDS = 7;
const DELTAS = 200;
/** From one host that goes and comes to the next. */
const DELTA_STEP = 41;
/** Rows that a window shows at most. */
const VISIBLE = 100;
const FIRST_ROWS_MS = 300;
/** One frame. */
const DELTA_MS = 16;
const MEMORY_MB = 60;
/** Typed letter by letter. */
const FILTER = "web-1 tag:linux";
const SERVER_KEY = "http://127.0.0.1:8080";
const NOW_MS = Date.parse("2030-01-02T00:00:00Z");
const AT = "2030-01-01T00:00:00.000Z";

/** Facts about a server with all of its clients connected. */
const STATUS = {
  version: "0.1.0",
  clients_connected: HOSTS,
  clients_disconnected: 0,
  fingerprint: "00:11",
  fingerprint_sha256: "SHA256:abc",
  connect_url: ["http://127.0.0.1:8080"],
  pairing_url: "http://127.0.0.1:8080",
  clients_auth_source: "File",
  clients_auth_mode: "Read Write",
};

/** What the extension holds for one server, without the editor's API. */
class Model {
  readonly mirror = new Mirror();
  readonly clients = new ArrangedClients();
  readonly shown = new ShownClients();
  readonly nodes = new Nodes();

  /** As the event socket does: text in, parsed, checked, applied, arranged. */
  receive(text: string): void {
    const message: EventMessage = eventMessageSchema.parse(JSON.parse(text));
    const applied = this.mirror.apply(message);
    if (applied.kind === "gap") throw new Error("a message is missing");
    if (applied.kind === "reset") {
      this.clients.reset(this.mirror);
      this.shown.reset(this.mirror, USUAL, SERVER_KEY);
    }
  }

  /** As the clients view does after each letter of a filter. */
  filter(text: string): void {
    const parsed = parseFilter(text);
    if ("mistake" in parsed) throw new Error(parsed.mistake);
    this.shown.regroup({ ...USUAL, filter: parsed.filter });
  }

  /** What the editor asks for when the group is open: all of its nodes, and the rows in view. */
  show(): readonly Row[] {
    const nodes = this.#online();
    return nodes.slice(0, VISIBLE).flatMap((node) => this.#row(node));
  }

  #online(): readonly Node[] {
    const place = "clients" as const;
    return this.shown
      .idsOf("=online")
      .map((clientId) =>
        this.nodes.get({ kind: "client", serverKey: SERVER_KEY, clientId, place }),
      );
  }

  #row(node: Node): Row[] {
    const found = node.kind === "client" ? this.mirror.maps.clients.get(node.clientId) : undefined;
    if (found === undefined) return [];
    const counts = { localTunnels: 0, serverTunnels: this.mirror.tunnelCountOf(found.id) };
    const about = { serverName: "", nowMs: NOW_MS, mayTerminal: true, mayTunnel: true };
    const facts = { client: found, place: "clients", mayAdminister: true } as const;
    return [clientRow({ ...facts, ...about, ...counts })];
  }
}

/** The ways to arrange the clients view. Every group is open, which is the most that can be shown. */
const ARRANGED: Readonly<Record<string, (arrangements: Arrangements) => void>> = {
  "by status": () => undefined,
  "by tag, three each": (arrangements) => arrangements.groupBy([RELAY], "tag"),
  "by network": (arrangements) => arrangements.groupBy([RELAY], "network"),
  "in one list": (arrangements) => arrangements.groupBy([RELAY], "server"),
  "by status, last seen first": (arrangements) => arrangements.sortBy([RELAY], "lastSeen"),
  "by status, filtered": (arrangements) => arrangements.setFilter("web tag:linux"),
  "by tag, those that are online": (arrangements) => {
    arrangements.groupBy([RELAY], "tag");
    arrangements.setFilter("status:online");
  },
  "100 of them pinned": (arrangements) => {
    const ids = Array.from({ length: 100 }, (_, n) => `host-${n * DELTA_STEP}`);
    arrangements.pin(RELAY, ids, true);
  },
};

// F-26: the editor stays quick with many hosts and many events.
await runBench(async ({ row, note }) => {
  const text = snapshotText();
  const firstMs: number[] = [];
  const model = new Model();
  for (let round = 0; round < ROUNDS; round += 1) {
    const fresh = round === ROUNDS - 1 ? model : new Model();
    firstMs.push(timed(() => expectRows(fresh, () => fresh.receive(text))));
  }
  // The first round runs cold, as in an editor that was just opened.
  const coldMs = firstMs[0] ?? Number.NaN;
  row({
    what: `${number(HOSTS)} hosts: from the snapshot's text to the first rows, cold`,
    figure: `${number(coldMs)} ms`,
    against: `warm ${number(quantile(firstMs.slice(1), 0.5))} ms; text ${number(text.length / 1e6)} MB`,
    checks: [atMost(coldMs, FIRST_ROWS_MS, "ms")],
  });
  for (const [how, arrange] of Object.entries(ARRANGED)) deltas(row, { text, how, arrange });
  const letterMs = lettersOf(Array.from({ length: ROUNDS }, () => typed(model)));
  const longestMs = Math.max(...letterMs);
  row({
    what: `a letter of a filter, each the median of ${ROUNDS}: groups and rows anew, median / longest`,
    figure: `${number(quantile(letterMs, 0.5))} / ${number(longestMs)} ms`,
    against: `${number(model.shown.size)} clients fit "${FILTER}"`,
    checks: [atMost(longestMs, DELTA_MS, "ms (longest)")],
  });
  memory(row, Buffer.from(text));
  note(
    "The rows are those that the editor is given; what the editor itself does with them is not in it.",
  );
});

interface Deltas {
  readonly text: string;
  readonly how: string;
  readonly arrange: (arrangements: Arrangements) => void;
}

function deltas(row: Bench["row"], { text, how, arrange }: Deltas): void {
  const viewed = new ViewedFleet();
  arrange(viewed.arrangements);
  viewed.receive(text);
  viewed.draw();
  const processorMs: number[] = [];
  const deltaMs = Array.from({ length: DELTAS }, (_, n) => {
    const delta = deltaText(n);
    const before = process.threadCpuUsage();
    const ms = timed(() => {
      viewed.redraw(viewed.receive(delta));
      viewed.summarise();
    });
    const { user, system } = process.threadCpuUsage(before);
    processorMs.push((user + system) / 1_000);
    return ms;
  });
  // on a busy machine, the longest of them are those in which others had the processor
  const p99 = quantile(processorMs, 0.99);
  row({
    what: `one host goes offline or comes back, ${how}: rows and status anew, p50 / p99`,
    figure: `${number(quantile(deltaMs, 0.5))} / ${number(quantile(deltaMs, 0.99))} ms`,
    against: `of a processor ${number(p99)} ms (p99)`,
    checks: [atMost(p99, DELTA_MS, "ms of a processor (p99)")],
  });
}

/** What is held for all hosts, with every row drawn and a filter about to be typed. */
function memory(row: Bench["row"], text: Buffer): void {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const heldMb = () => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / 1e6;
  };
  const beforeMb = heldMb();
  const viewed = new ViewedFleet();
  viewed.receive(text.toString());
  const modelMb = heldMb() - beforeMb;
  viewed.draw();
  viewed.clients.shown.prepareFilter();
  const allMb = heldMb() - beforeMb;
  row({
    what: `${number(HOSTS)} hosts: heap and buffers, all rows drawn and a filter about to be typed`,
    figure: `${number(allMb)} MB`,
    against: `${number(modelMb)} MB before anything was drawn; ${number(viewed.clients.shown.counts().total)} clients`,
    checks: [atMost(allMb, MEMORY_MB, "MB")],
  });
}

/** The median of each letter: on a busy machine, the longest of them are those in which others had the processor. */
function lettersOf(rounds: readonly (readonly number[])[]): number[] {
  return Array.from(FILTER, (_, n) =>
    quantile(
      rounds.map((times) => times[n] ?? Number.NaN),
      0.5,
    ),
  );
}

/** The time of each letter, after the box was opened. */
function typed(model: Model): readonly number[] {
  model.shown.prepare();
  const letters = Array.from(FILTER, (_, n) => FILTER.slice(0, n + 1));
  return letters.map((text) =>
    timed(() => {
      model.filter(text);
      model.show();
    }),
  );
}

function expectRows(model: Model, receive: () => void): void {
  receive();
  const rows = model.show();
  if (rows.length !== VISIBLE) throw new Error(`${rows.length} rows instead of ${VISIBLE}`);
}

function timed(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

function host(number: number, changes: Partial<Client> = {}): Client {
  const rack = number % 97;
  const name = `web-${(number * 7_919) % HOSTS}.rack${rack}`;
  return {
    ...client(`host-${number}`),
    name,
    hostname: `${name}.example.com`,
    labels: { city: "Köln", rack: String(rack) },
    tags: ["linux", "web", `rack-${rack}`],
    address: `203.0.113.${number % 50}`,
    cpu_model_name: "Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz",
    host_key: `SHA256:${String(number).padStart(43, "a")}`,
    secret: { id: secretIdSchema.parse(`secret-${number}`), origin: "pairing", state: "active" },
    ...changes,
  };
}

function snapshotText(): string {
  return JSON.stringify({
    type: "snapshot",
    seq: 0,
    at: AT,
    server: STATUS,
    clients: Array.from({ length: HOSTS }, (_, n) => host(n)),
    credentials: [credential("fleet", { clients_total: HOSTS })],
    tunnels: [],
    pairings: [],
  });
}

/** Even deltas take a host offline, odd ones bring it back. */
function deltaText(n: number): string {
  const number = Math.floor(n / 2) * DELTA_STEP;
  const gone = { connection_state: "disconnected", disconnected_at: AT } as const;
  const value = n % 2 === 0 ? host(number, gone) : host(number);
  const changes = [{ entity: "client", id: value.id, value }];
  return JSON.stringify({ type: "delta", seq: n + 1, at: AT, changes });
}
