import type { Client } from "@rport/protocol/model";
import { t } from "@vscode/l10n";
import {
  type Disposable,
  EventEmitter,
  languages,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
} from "vscode";
import { AUDIT_LANGUAGE, DOCUMENT_SCHEME } from "../manifest.ts";
import { displayName } from "../model/arrange.ts";
import { detailsText } from "../model/details.ts";
import { type Outcome, outcomeText } from "../model/outcome.ts";
import { whyOfflineText } from "../model/whyOffline.ts";
import type { Fleet } from "../servers/fleet.ts";
import { isAway } from "../servers/server.ts";
import type { ServerChange } from "../servers/serverChange.ts";
import type { Clock } from "../support/clock.ts";
import { documentPath, partsOf } from "../support/documentPath.ts";
import { rowOf } from "./rows.ts";
import { openTunnelNodes, type SourceDeps } from "./source.ts";

const UNKNOWN_CLIENT = `# ${t("This client is not known any more.")}\n`;

/** What the documents need. */
export interface DocumentsDeps extends SourceDeps {
  readonly clock: Clock;
}

/** Read-only documents: details of a host, which follow it, and the installer's script. */
export class Documents implements TextDocumentContentProvider {
  readonly #deps: DocumentsDeps;
  readonly #emitter = new EventEmitter<Uri>();
  readonly onDidChange = this.#emitter.event;
  readonly #scripts = new Map<string, string>();
  /** By the path of their document. */
  readonly #outcomes = new Map<string, { readonly serverKey: string; readonly outcome: Outcome }>();
  readonly #registration: Disposable;

  constructor(deps: DocumentsDeps) {
    this.#deps = deps;
    this.#registration = workspace.registerTextDocumentContentProvider(DOCUMENT_SCHEME, this);
    deps.fleet.changed.add((event) => {
      if (event.kind === "server") this.#serverChanged(event.server.key, event.change);
    });
  }

  provideTextDocumentContent(uri: Uri): string {
    const [kind, ...parts] = partsOf(uri.path);
    if (kind === "outcome") return this.#outcomeText(uri.path);
    if (kind === "why") return this.whyOffline(parts[0] ?? "", parts[1] ?? "");
    if (kind === "script") return this.#scripts.get(uri.path) ?? "";
    return this.#details(parts[0] ?? "", parts[1] ?? "");
  }

  /** Why a client is away, link by link from here to the host, as Markdown. */
  whyOffline(serverKey: string, clientId: string): string {
    const server = this.#fleet.get(serverKey);
    const client = server?.mirror.maps.clients.get(clientId);
    if (server === undefined || client === undefined) return UNKNOWN_CLIENT;
    const { clients, credentials, refusals } = server.mirror.maps;
    return whyOfflineText({
      client,
      server: { name: server.name, isConnected: !isAway(server) },
      credential: credentials.get(client.client_auth_id),
      mayAdminister: server.may("administrator"),
      refusals: refusals.values(),
      alike: [...clients.values()].filter(({ looks_like: id }) => id === clientId),
      nowMs: server.time.nowMs,
      aheadMs: server.time.aheadMs,
    });
  }

  /** Opens the details of a client. */
  async showClient(serverKey: string, clientId: string): Promise<void> {
    const client = this.#fleet.client(serverKey, clientId);
    if (client === undefined) return;
    const uri = clientUri(serverKey, clientId, displayName(client));
    await show(uri, "yaml");
  }

  /** Opens what is known of why a client is away; it follows what happens. */
  async showWhyOffline(serverKey: string, client: Client): Promise<void> {
    const uri = uriOf(["why", serverKey, client.id, t("Why {0} is offline", displayName(client))]);
    // what it says depends on the time of day, too
    this.#emitter.fire(uri);
    await show(uri, AUDIT_LANGUAGE);
  }

  /** Opens the text of an installer script. */
  async showScript(id: string, name: string, text: string): Promise<void> {
    const uri = uriOf(["script", id, name]);
    this.#scripts.set(uri.path, text);
    await show(uri, name.endsWith(".ps1") ? "powershell" : "shellscript");
  }

  /** Opens a text that explains something. */
  async showGuide(title: string, text: string): Promise<void> {
    const uri = uriOf(["script", "guide", `${title}.md`]);
    this.#scripts.set(uri.path, text);
    // there may be one from before
    this.#emitter.fire(uri);
    await show(uri, "markdown");
  }

  /** Opens what came of something that was taken away; it tells, live, who still tries. */
  async showOutcome(serverKey: string, outcome: Outcome): Promise<void> {
    const uri = uriOf(["outcome", serverKey, String(outcome.atMs), outcome.title]);
    this.#outcomes.set(uri.path, { serverKey, outcome });
    await show(uri, AUDIT_LANGUAGE);
  }

  /** Stops providing. */
  dispose(): void {
    this.#registration.dispose();
    this.#emitter.dispose();
  }

  get #fleet(): Fleet {
    return this.#deps.fleet;
  }

  #serverChanged(serverKey: string, change: ServerChange): void {
    if (change.kind !== "changed") {
      this.#refresh(({ path }) => path.startsWith(uriOf(["why", serverKey, ""]).path));
      return;
    }
    for (const { change: each } of change.changes) {
      if (each.entity === "client") this.#clientChanged(serverKey, each.id);
    }
    if (change.changes.some(({ change: each }) => each.entity === "refusal")) {
      this.#refusalsChanged(serverKey);
    }
  }

  #clientChanged(serverKey: string, clientId: string): void {
    for (const kind of ["client", "why"]) {
      this.#refresh(({ path }) => path.startsWith(uriOf([kind, serverKey, clientId, ""]).path));
    }
  }

  #refresh(isMeant: (uri: Uri) => boolean): void {
    for (const { uri } of workspace.textDocuments) {
      if (uri.scheme === DOCUMENT_SCHEME && isMeant(uri)) this.#emitter.fire(uri);
    }
  }

  #refusalsChanged(serverKey: string): void {
    const why = uriOf(["why", serverKey, ""]).path;
    this.#refresh(({ path }) => {
      return path.startsWith(why) || this.#outcomes.get(path)?.serverKey === serverKey;
    });
  }

  #outcomeText(path: string): string {
    const known = this.#outcomes.get(path);
    const server = known === undefined ? undefined : this.#fleet.get(known.serverKey);
    if (known === undefined || server === undefined)
      return `# ${t("This is not known any more.")}\n`;
    const { clients, refusals } = server.mirror.maps;
    const nameOf = (id: string | null): string => {
      const client = id === null ? undefined : clients.get(id);
      return client === undefined ? "" : displayName(client);
    };
    const trying = { serverName: server.name, refusals: refusals.values(), nameOf };
    return outcomeText(known.outcome, trying);
  }

  #details(serverKey: string, clientId: string): string {
    const server = this.#fleet.get(serverKey);
    const client = server?.mirror.maps.clients.get(clientId);
    if (server === undefined || client === undefined) return UNKNOWN_CLIENT;
    const { clock } = this.#deps;
    const rows = { fleet: this.#fleet, now: () => clock.now() };
    const tunnels = openTunnelNodes(this.#deps, serverKey, clientId).map((node) =>
      rowOf(node, rows),
    );
    return detailsText({ client, tunnels, serverName: server.name, nowMs: server.time.nowMs });
  }
}

function uriOf(parts: readonly string[]): Uri {
  return Uri.from({ scheme: DOCUMENT_SCHEME, path: documentPath(parts) });
}

function clientUri(serverKey: string, clientId: string, name: string): Uri {
  return uriOf(["client", serverKey, clientId, name]);
}

async function show(uri: Uri, language: string): Promise<void> {
  const document = await workspace.openTextDocument(uri);
  await languages.setTextDocumentLanguage(document, language);
  await window.showTextDocument(document, { preview: true });
}
