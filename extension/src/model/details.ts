import type { Client, Secret } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import { inertLine } from "../support/text.ts";
import { displayName, statusOf, statusWord } from "./arrange.ts";
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
    [t("Processors"), cpus === 0 ? "" : [cpus, model].filter(Boolean).join(" x ")],
    [t("Memory"), memory === 0 ? "" : t("{0} GiB", (memory / GIB).toFixed(1))],
    [t("Kernel"), client.os_kernel],
    [t("Virtualization"), client.os_virtualization_system],
    [t("Time zone"), client.timezone],
  ];
}

const ORIGINS: Readonly<Record<Secret["origin"], string>> = {
  initial: t("initial"),
  typed: t("typed"),
  pairing: t("pairing"),
  rotation: t("rotation"),
};

const STATES: Readonly<Record<Secret["state"], string>> = {
  active: t("active"),
  grace: t("an old one that is being replaced"),
  revoked: t("revoked"),
};

function secretFact({ secret }: Client): string {
  if (secret === null) return "";
  return `${secret.id} (${ORIGINS[secret.origin]}, ${STATES[secret.state]})`;
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
    [t("Status"), statusWord(statusOf(client))],
    timeFact(t("Connected"), client.connected_at, nowMs),
    timeFact(t("Disconnected"), client.disconnected_at, nowMs),
    [t("Ended"), client.connection_end === null ? "" : endSentence(client.connection_end)],
    [t("Server"), serverName],
    ...clientFacts(client),
    ...hardware(client),
    [t("Secret"), secretFact(client)],
    [t("Features"), client.features.join(", ")],
  ];
  const open = tunnels.map(({ label, description }) => `  - ${label} ${description}\n`).join("");
  const heading = `# ${inertLine(displayName(client))}\n\n`;
  return `${heading}${block(facts)}${open === "" ? "" : `\n${t("Tunnels:")}\n${open}`}`;
}
