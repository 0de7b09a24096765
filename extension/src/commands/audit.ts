import { AUDIT_ACTIONS, AUDIT_APPLICATIONS } from "@rport/protocol/audit";
import { t } from "@vscode/l10n";
import { type QuickPickItem, window } from "vscode";
import { type AuditFilter, FILTER_NAMES } from "../model/auditText.ts";
import type { Server } from "../servers/server.ts";
import { plainText } from "../support/text.ts";
import type { AuditDocuments } from "../views/auditDocuments.ts";
import type { CommandInput, Handlers } from "./registry.ts";
import type { Targets } from "./targets/targets.ts";

const HOUR_MS = 3_600_000;

/** Points in time that are offered, by how many hours they are back. */
const SINCE = [
  { label: t("The last hour"), hours: 1 },
  { label: t("The last 24 hours"), hours: 24 },
  { label: t("The last 7 days"), hours: 7 * 24 },
  { label: t("The last 30 days"), hours: 30 * 24 },
] as const;

/** What the commands on the audit log need. */
export interface AuditCommandsDeps {
  readonly targets: Targets;
  readonly documents: AuditDocuments;
}

/** Commands that the audit log is the object of. */
export type AuditHandlers = Pick<
  Handlers,
  "showAudit" | "filterAudit" | "moreAudit" | "refreshAudit"
>;

/** Showing the audit log, narrowing it, reading on. */
export function auditHandlers(deps: AuditCommandsDeps): AuditHandlers {
  const { targets, documents } = deps;
  /** The one whose log is in front, else the one that is chosen. */
  const serverFor = async (input: CommandInput) => {
    const shown = documents.serverOf(window.activeTextEditor?.document.uri);
    if (shown !== undefined && input.node === undefined) return shown;
    const isConnected = ({ state }: Server) => state.kind === "connected";
    return targets.server(input, t("Show the audit log of which server?"), isConnected);
  };
  return {
    async showAudit(input) {
      const server = await serverFor(input);
      if (server !== undefined) await documents.show(server);
    },
    async filterAudit(input) {
      const server = await serverFor(input);
      if (server === undefined) return;
      const filter = await askFilter(server, deps);
      if (filter === undefined) return;
      await documents.filter(server, filter);
      await documents.show(server);
    },
    async moreAudit(input) {
      const server = await serverFor(input);
      if (server !== undefined) await documents.more(server);
    },
    async refreshAudit(input) {
      const server = await serverFor(input);
      if (server !== undefined) await documents.filter(server, documents.filterOf(server));
    },
  };
}

/** The filter with one part changed; undefined when nothing is to change. */
async function askFilter(
  server: Server,
  { documents }: AuditCommandsDeps,
): Promise<AuditFilter | undefined> {
  const filter = documents.filterOf(server);
  const names = Object.keys(FILTER_NAMES) as (keyof AuditFilter)[];
  const parts = names.map((name) => ({
    label: FILTER_NAMES[name],
    description: plainText(filter[name] ?? t("any")),
    name,
  }));
  const all = { label: t("Show Everything"), description: "", name: undefined };
  const isNarrowed = Object.keys(filter).length > 0;
  const picked = await window.showQuickPick(isNarrowed ? [all, ...parts] : parts, {
    title: t("Filter the Audit Log of {0}", server.name),
    placeHolder: t("Narrow by what?"),
  });
  if (picked === undefined) return undefined;
  const { name } = picked;
  if (name === undefined) return {};
  const value =
    name === "since" ? await askSince(server.time.nowMs) : await askValue(server, name, documents);
  if (value === undefined) return undefined;
  const { [name]: _, ...others } = filter;
  return value === "" ? others : { ...others, [name]: value };
}

/** Values that do not depend on what happened. */
const KNOWN_VALUES: Partial<Record<keyof AuditFilter, readonly string[]>> = {
  action: AUDIT_ACTIONS,
  application: AUDIT_APPLICATIONS,
};

type Choice = QuickPickItem & { readonly value: string };

/** Values that stand in the log, and whatever is typed; empty: any. */
async function askValue(
  server: Server,
  name: Exclude<keyof AuditFilter, "since">,
  documents: AuditDocuments,
): Promise<string | undefined> {
  const seen = documents.rowsOf(server).map((row) => row[name]);
  const values = new Set(KNOWN_VALUES[name] ?? seen.filter((value) => value !== ""));
  const known = [...values].sort().map((value): Choice => ({ label: plainText(value), value }));
  return pickOrType({ title: t("{0} in the Audit Log", FILTER_NAMES[name]), known });
}

function pickOrType(question: {
  readonly title: string;
  readonly known: readonly Choice[];
}): Promise<string | undefined> {
  const any: Choice = { label: t("Any"), value: "", alwaysShow: true };
  const pick = window.createQuickPick<Choice>();
  pick.title = question.title;
  pick.placeholder = t("Choose, or type; * stands for anything");
  pick.items = [any, ...question.known];
  pick.onDidChangeValue((typed) => {
    const text = typed.trim();
    const isNew = text !== "" && !question.known.some(({ value }) => value === text);
    const own: Choice[] = isNew ? [{ label: plainText(text), value: text, alwaysShow: true }] : [];
    pick.items = [...own, ...(text === "" ? [any] : []), ...question.known];
  });
  return new Promise<string | undefined>((resolve) => {
    pick.onDidAccept(() => {
      // Enter may come before the editor has the entries for what was typed last
      const value = pick.selectedItems[0]?.value ?? pick.value.trim();
      if (value === "" && pick.selectedItems.length === 0) return;
      resolve(value);
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}

async function askSince(nowMs: number): Promise<string | undefined> {
  const own = { label: t("A date..."), hours: undefined };
  const any = { label: t("Any time"), hours: 0 };
  const picked = await window.showQuickPick([any, ...SINCE, own], {
    title: t("Since When in the Audit Log"),
  });
  if (picked === undefined) return undefined;
  if (picked.hours === 0) return "";
  if (picked.hours !== undefined) return new Date(nowMs - picked.hours * HOUR_MS).toISOString();
  const typed = await window.showInputBox({
    title: t("Since When in the Audit Log"),
    prompt: t("A date such as 2030-01-31, or a date and time such as 2030-01-31 14:00"),
    validateInput: (text) => (instantOf(text) === undefined ? t("That is not a date.") : undefined),
  });
  return typed === undefined ? undefined : instantOf(typed);
}

/** A date as people type it, in this computer's time zone; undefined when it is none. */
function instantOf(text: string): string | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const at = new Date(`${match[1]}T${match[2] ?? "00:00"}`);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}
