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
import type { Fleet } from "../servers/fleet.ts";
import type { Clock } from "../support/clock.ts";
import { documentPath, partsOf } from "../support/documentPath.ts";
import { rowOf } from "./rows.ts";
import { type SourceDeps, tunnelNodes } from "./source.ts";

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
      if (event.kind !== "server" || event.change.kind !== "changed") return;
      for (const { change } of event.change.changes) {
        if (change.entity === "client") this.#clientChanged(event.server.key, change.id);
      }
      if (event.change.changes.some(({ change }) => change.entity === "refusal")) {
        this.#refusalsChanged(event.server.key);
      }
    });
  }

  provideTextDocumentContent(uri: Uri): string {
    const [kind, ...parts] = partsOf(uri.path);
    if (kind === "outcome") return this.#outcomeText(uri.path);
    if (kind === "script") return this.#scripts.get(uri.path) ?? "";
    return this.#details(parts[0] ?? "", parts[1] ?? "");
  }

  /** Opens the details of a client. */
  async showClient(serverKey: string, clientId: string): Promise<void> {
    const client = this.#fleet.client(serverKey, clientId);
    if (client === undefined) return;
    const uri = clientUri(serverKey, clientId, displayName(client));
    await show(uri, "yaml");
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

  #clientChanged(serverKey: string, clientId: string): void {
    const prefix = uriOf(["client", serverKey, clientId, ""]).path;
    for (const { uri } of workspace.textDocuments) {
      if (uri.scheme === DOCUMENT_SCHEME && uri.path.startsWith(prefix)) this.#emitter.fire(uri);
    }
  }

  #refusalsChanged(serverKey: string): void {
    for (const { uri } of workspace.textDocuments) {
      const known = uri.scheme === DOCUMENT_SCHEME ? this.#outcomes.get(uri.path) : undefined;
      if (known?.serverKey === serverKey) this.#emitter.fire(uri);
    }
  }

  #outcomeText(path: string): string {
    const known = this.#outcomes.get(path);
    const server = known === undefined ? undefined : this.#fleet.get(known.serverKey);
    if (known === undefined || server === undefined) return "# This is not known any more.\n";
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
    if (server === undefined || client === undefined)
      return "# This client is not known any more.\n";
    const { clock } = this.#deps;
    const rows = { fleet: this.#fleet, now: () => clock.now() };
    const tunnels = tunnelNodes(this.#deps, serverKey, clientId).map((node) => rowOf(node, rows));
    return detailsText({ client, tunnels, serverName: server.name, nowMs: clock.now() });
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
