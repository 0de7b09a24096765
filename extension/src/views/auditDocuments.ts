import type { AuditRow } from "@rport/protocol/audit";
import { t } from "@vscode/l10n";
import {
  CodeLens,
  Disposable,
  EventEmitter,
  languages,
  Range,
  type TextDocument,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
} from "vscode";
import { AUDIT_LANGUAGE, AUDIT_SCHEME, COMMANDS } from "../manifest.ts";
import { type AuditFilter, auditQuery, auditText } from "../model/auditText.ts";
import type { Fleet } from "../servers/fleet.ts";
import type { Server } from "../servers/server.ts";
import { describeError } from "../support/describeError.ts";
import { documentPath, partsOf } from "../support/documentPath.ts";

/** Entries that are fetched at a time. */
const PAGE = 100;

/** What is shown of one server's log. */
interface Shown {
  readonly filter: AuditFilter;
  readonly rows: readonly AuditRow[];
  readonly hasMore: boolean;
  readonly failure: string | undefined;
}

const NOTHING: Shown = { filter: {}, rows: [], hasMore: false, failure: undefined };

/** The audit logs as read-only documents, one per server, as far as somebody has read them. */
export class AuditDocuments implements TextDocumentContentProvider {
  readonly #fleet: Fleet;
  readonly #emitter = new EventEmitter<Uri>();
  readonly onDidChange = this.#emitter.event;
  readonly #shown = new Map<string, Shown>();
  readonly #registration: Disposable;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.#registration = Disposable.from(
      workspace.registerTextDocumentContentProvider(AUDIT_SCHEME, this),
      languages.registerCodeLensProvider(
        { scheme: AUDIT_SCHEME },
        { provideCodeLenses: (document) => this.#lenses(document) },
      ),
    );
  }

  /** After a reload of the window, the document of before is empty until it is refreshed. */
  async provideTextDocumentContent(uri: Uri): Promise<string> {
    const server = this.serverOf(uri);
    if (server === undefined) return `# ${t("This server is not configured any more.")}\n`;
    if (!this.#shown.has(server.key)) await this.#load(server, {}, []);
    return auditText({ serverName: server.name, ...this.#of(server) });
  }

  /** The server whose log a document is; undefined when it is another document. */
  serverOf(uri: Uri | undefined): Server | undefined {
    if (uri?.scheme !== AUDIT_SCHEME) return undefined;
    return this.#fleet.get(partsOf(uri.path)[0] ?? "");
  }

  /** What a server's log is filtered by. */
  filterOf(server: Server): AuditFilter {
    return this.#of(server).filter;
  }

  /** The entries that are shown of a server's log. */
  rowsOf(server: Server): readonly AuditRow[] {
    return this.#of(server).rows;
  }

  /** Opens the log of a server, as it is now. */
  async show(server: Server): Promise<void> {
    await this.filter(server, this.filterOf(server));
    const document = await workspace.openTextDocument(uriOf(server));
    // a language in which nothing that somebody wrote becomes a link
    await languages.setTextDocumentLanguage(document, AUDIT_LANGUAGE);
    await window.showTextDocument(document, { preview: false });
  }

  /** Fetches the newest entries that fit. */
  async filter(server: Server, filter: AuditFilter): Promise<void> {
    await this.#load(server, filter, []);
    this.#emitter.fire(uriOf(server));
  }

  /** Fetches the next older entries. */
  async more(server: Server): Promise<void> {
    const { filter, rows } = this.#of(server);
    await this.#load(server, filter, rows);
    this.#emitter.fire(uriOf(server));
  }

  /** Stops providing. */
  dispose(): void {
    this.#registration.dispose();
    this.#emitter.dispose();
  }

  #of(server: Server): Shown {
    return this.#shown.get(server.key) ?? NOTHING;
  }

  async #load(server: Server, filter: AuditFilter, known: readonly AuditRow[]): Promise<void> {
    const query = auditQuery(filter, { limit: PAGE, offset: known.length });
    try {
      const page = await server.api.call("listAudit", { query });
      // entries that came in meanwhile have moved the pages on
      const seen = new Set(known.map(({ seq }) => seq));
      const rows = [...known, ...page.filter(({ seq }) => !seen.has(seq))];
      const hasMore = page.length === PAGE;
      this.#shown.set(server.key, { filter, rows, hasMore, failure: undefined });
    } catch (error) {
      const failure = describeError(error);
      this.#shown.set(server.key, { filter, rows: known, hasMore: known.length > 0, failure });
    }
  }

  #lenses(document: TextDocument): CodeLens[] {
    const server = this.serverOf(document.uri);
    if (server === undefined) return [];
    const top = new Range(0, 0, 0, 0);
    const end = Math.max(0, document.lineCount - 2);
    const lenses = [
      new CodeLens(top, { title: t("Filter..."), command: COMMANDS.filterAudit }),
      new CodeLens(top, { title: t("Refresh"), command: COMMANDS.refreshAudit }),
    ];
    if (!this.#of(server).hasMore) return lenses;
    const more = { title: t("Load More"), command: COMMANDS.moreAudit };
    return [...lenses, new CodeLens(new Range(end, 0, end, 0), more)];
  }
}

function uriOf({ key, name }: Server): Uri {
  const title = t("Audit Log - {0}", name);
  return Uri.from({ scheme: AUDIT_SCHEME, path: documentPath([key, title]) });
}
