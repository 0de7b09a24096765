import type { Client } from "@rport/protocol/model";
import { inertLine } from "../support/text.ts";
import { displayName, statusOf } from "./arrange.ts";
import { endSentence } from "./connectionEnd.ts";
import { ago } from "./relativeTime.ts";
import { clientFacts } from "./rows/clientRow.ts";
import type { Row } from "./rows/row.ts";

const GIB = 1024 ** 3;

/** What the details of a client are made of. */
export interface DetailsFacts {
  readonly client: Client;
  readonly tunnels: readonly Row[];
  readonly serverName: string;
  readonly nowMs: number;
}

type Fact = readonly [string, string];

function timeFact(name: string, time: string | null, nowMs: number): Fact {
  return [name, time === null ? "" : `${time} (${ago(time, nowMs)})`];
}

function hardware(client: Client): readonly Fact[] {
  const { num_cpus: cpus, cpu_model_name: model, mem_total: memory } = client;
  return [
    ["Processors", cpus === 0 ? "" : [cpus, model].filter(Boolean).join(" x ")],
    ["Memory", memory === 0 ? "" : `${(memory / GIB).toFixed(1)} GiB`],
    ["Kernel", client.os_kernel],
    ["Virtualization", client.os_virtualization_system],
    ["Time zone", client.timezone],
  ];
}

function secretFact({ secret }: Client): string {
  if (secret === null) return "";
  const state = secret.state === "grace" ? "an old one that is being replaced" : secret.state;
  return `${secret.id} (${secret.origin}, ${state})`;
}

/** Values come from the host: one line each, so that none can pass for another fact. */
function block(facts: readonly Fact[]): string {
  const known = facts.filter(([, value]) => value !== "");
  const width = Math.max(...known.map(([name]) => name.length)) + 2;
  return known.map(([name, value]) => `${`${name}:`.padEnd(width)}${inertLine(value)}\n`).join("");
}

/** Everything known about a client, as aligned `name: value` lines. */
export function detailsText({ client, tunnels, serverName, nowMs }: DetailsFacts): string {
  const facts: readonly Fact[] = [
    ["Status", statusOf(client)],
    timeFact("Connected", client.connected_at, nowMs),
    timeFact("Disconnected", client.disconnected_at, nowMs),
    ["Ended", client.connection_end === null ? "" : endSentence(client.connection_end)],
    ["Server", serverName],
    ...clientFacts(client),
    ...hardware(client),
    ["Secret", secretFact(client)],
    ["Features", client.features.join(", ")],
  ];
  const open = tunnels.map(({ label, description }) => `  - ${label} ${description}\n`).join("");
  const heading = `# ${inertLine(displayName(client))}\n\n`;
  return `${heading}${block(facts)}${open === "" ? "" : `\nTunnels:\n${open}`}`;
}
