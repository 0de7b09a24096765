import { arch, homedir, release, userInfo } from "node:os";
import { t } from "@vscode/l10n";
import { env, extensions, UIKind, version, window, workspace } from "vscode";
import { saveText } from "../install/saveText.ts";
import { EXTENSION_ID, SECTION, SETTINGS } from "../manifest.ts";
import { displayName } from "../model/arrange.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import type { Redactor } from "../support/redact.ts";
import { Anonymizer, type KnownNames } from "../support/report/anonymizer.ts";
import { type Facts, problemText } from "../support/report/problemText.ts";
import type { RecentLines } from "../support/report/recentLines.ts";
import type { Documents } from "../views/documents.ts";
import type { Handlers } from "./registry.ts";

/** What a report on a problem takes. */
export interface ReportProblemDeps {
  readonly fleet: Fleet;
  readonly documents: Documents;
  readonly redactor: Redactor;
  readonly recent: RecentLines;
}

const FILE = "rport-problem.txt";
/** For its owner alone: somebody may write into it what the report leaves out. */
const MODE = 0o600;
/** Of VS Code's own settings, those that decide how a server is reached. */
const HTTP_SETTINGS = ["proxySupport", "proxyStrictSSL", "systemCertificates"];

/** Shows all that a report would say, and copies or saves it only when somebody asks for that. */
export function reportHandlers(deps: ReportProblemDeps): Pick<Handlers, "reportProblem"> {
  return {
    async reportProblem() {
      const text = reportOf(deps);
      await deps.documents.showGuide(t("Problem with RPort"), text);
      // nobody waits for the message to be closed
      void offer(text);
    },
  };
}

async function offer(text: string): Promise<void> {
  const copy = t("Copy Report");
  const save = t("Save Report...");
  const question = t("This is the whole report. Nothing of it has left your computer.");
  const chosen = await window.showInformationMessage(question, copy, save);
  if (chosen === copy) await env.clipboard.writeText(text);
  if (chosen === save) await saveText(FILE, text, MODE);
}

function reportOf({ fleet, redactor, recent }: ReportProblemDeps): string {
  const anonymizer = new Anonymizer(namesOf(fleet.servers, recent.servers));
  const problem = {
    computer: computerFacts(),
    settings: settingFacts(),
    servers: fleet.servers.map(serverFacts),
    lines: recent.all,
  };
  return problemText(problem, (text) => anonymizer.clean(redactor.clean(text)));
}

function computerFacts(): Facts {
  return {
    extension: extensions.getExtension(EXTENSION_ID)?.packageJSON.version,
    editor: `${env.appName} ${version}`,
    host: env.appHost,
    kind: env.uiKind === UIKind.Web ? "web" : "desktop",
    remote: env.remoteName === undefined ? "no" : "yes",
    language: env.language,
    trusted: workspace.isTrusted,
    system: `${process.platform} ${release()} ${arch()}`,
    node: process.versions.node,
  };
}

/** The servers have facts of their own. */
function settingFacts(): Facts {
  const own = workspace.getConfiguration(SECTION);
  const http = workspace.getConfiguration("http");
  const hidden: readonly string[] = [SETTINGS.servers, SETTINGS.caFile];
  const names = Object.values(SETTINGS).filter((name) => !hidden.includes(name));
  return Object.fromEntries([
    ...names.map((name) => [`${SECTION}.${name}`, JSON.stringify(own.get(name))] as const),
    ...HTTP_SETTINGS.map((name) => [`http.${name}`, JSON.stringify(http.get(name))] as const),
    [
      `${SECTION}.${SETTINGS.caFile}`,
      own.get(SETTINGS.caFile, "") === "" ? "none" : "set",
    ] as const,
    ["http.proxy", http.get("proxy", "") === "" ? "none" : "set"] as const,
  ]);
}

function serverFacts({
  isLocal,
  address,
  tlsPin,
  state,
  mirror,
  rights,
  heardAtMs,
}: Server): Facts {
  const { status, maps } = mirror;
  return {
    kind: isLocal ? "local" : address.replace(/:.*/s, ""),
    tlsPin: tlsPin === undefined ? "no" : "yes",
    state: state.kind,
    attempt: "attempt" in state ? state.attempt : undefined,
    reason: state.kind === "waiting" ? state.reason : undefined,
    heard: heardAtMs === undefined ? "never" : new Date(heardAtMs).toISOString(),
    version: status?.version,
    authentication: status === undefined ? undefined : status.clients_auth_source,
    administrator: rights.administrator,
    clients: maps.clients.size,
    connected: status?.clients_connected,
    credentials: maps.credentials.size,
    tunnels: maps.tunnels.size,
    joins: maps.joins.size,
  };
}

/** What no pattern finds: how people call things. */
function namesOf(servers: readonly Server[], logged: readonly string[]): KnownNames {
  const clients = servers.flatMap(({ mirror }) => [...mirror.maps.clients.values()]);
  const hosts = servers.flatMap(({ address }) =>
    URL.canParse(address) ? [new URL(address).hostname] : [],
  );
  const { username } = userInfo();
  return {
    server: [...servers.map(({ name }) => name), ...logged],
    address: hosts,
    client: clients.flatMap((client) => [displayName(client), client.hostname, client.id]),
    credential: servers.flatMap(({ mirror }) => [...mirror.maps.credentials.keys()]),
    home: [homedir()],
    user: [username, ...servers.map(({ rights }) => rights.username)],
  };
}
