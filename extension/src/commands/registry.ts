import { t } from "@vscode/l10n";
import { commands, Disposable, window } from "vscode";
import { COMMANDS, type CommandName } from "../manifest.ts";
import type { Node, Nodes } from "../model/node.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import { plainText } from "../support/text.ts";

/** The rows a command was called on; both empty when it was called from the palette. */
export interface CommandInput {
  /** The row that was clicked, or that has the focus. */
  readonly node: Node | undefined;
  /** All selected rows if that is one of them, else that one alone. */
  readonly selection: readonly Node[];
  /** Whether a key was pressed in a view, and so nothing else than its rows can be meant. */
  readonly isKey: boolean;
}

/** Does the work of a command; what it throws becomes a message. */
export type Handler = (input: CommandInput) => Promise<void>;

/** A handler for every command of the manifest; a missing one does not compile. */
export type Handlers = Readonly<Record<CommandName, Handler>>;

/** What registering needs. */
export interface RegistryDeps {
  readonly nodes: Nodes;
  /** What is selected in a view, by its id. */
  readonly selectionOf: (view: string) => readonly Node[];
  /** Why a command is not allowed, as a sentence; undefined when it is. */
  readonly whyNotAllowed: (name: CommandName, input: CommandInput) => string | undefined;
  readonly log: Log;
  readonly showLog: () => void;
}

/**
 * The only place that registers commands. Arguments count only when they are rows of ours: the
 * editor may pass nothing during a refresh, and other extensions may pass anything.
 */
export function registerCommands(handlers: Handlers, deps: RegistryDeps) {
  const names = Object.keys(COMMANDS) as CommandName[];
  return Disposable.from(
    ...names.map((name) =>
      commands.registerCommand(COMMANDS[name], async (first: unknown, second: unknown) => {
        await run(name, handlers[name], {
          input: inputOf(first, second, deps),
          deps,
        });
      }),
    ),
  );
}

/**
 * The manifest has keys bring along the view, and the editor's own mark for the row that has the focus
 * there, in whose place the editor puts that row. An editor that does not know the mark leaves it as it is: then
 * the selection is what is meant.
 */
function inputOf(first: unknown, second: unknown, deps: RegistryDeps): CommandInput {
  const { nodes } = deps;
  if (Array.isArray(first)) return keyInputOf(first[0], first[1], deps);
  const node = nodes.owns(first) ? first : undefined;
  const listed = Array.isArray(second) ? second.filter((each) => nodes.owns(each)) : [];
  if (node === undefined) return { node, selection: listed, isKey: false };
  return { node, selection: listed.includes(node) ? listed : [node], isKey: false };
}

function keyInputOf(view: unknown, focus: unknown, deps: RegistryDeps): CommandInput {
  const selected = typeof view === "string" ? deps.selectionOf(view) : [];
  const node = deps.nodes.owns(focus) ? focus : selected[0];
  const isOther = node !== undefined && !selected.includes(node);
  return { node, selection: isOther ? [node] : selected, isKey: true };
}

async function run(
  name: CommandName,
  handler: Handler,
  { input, deps }: { input: CommandInput; deps: RegistryDeps },
): Promise<void> {
  deps.log.debug("command", { name, on: input.node?.kind });
  const whyNot = deps.whyNotAllowed(name, input);
  if (whyNot !== undefined) {
    void window.showInformationMessage(plainText(whyNot));
    return;
  }
  try {
    await handler(input);
  } catch (error) {
    tellFailure(name, error, deps);
  }
}

/** Where a failure is written down, and how somebody gets to see that. */
export interface FailureDeps {
  readonly log: Pick<Log, "error">;
  readonly showLog: () => void;
}

/** Writes down why what somebody asked for, by its `name`, failed, and tells it. */
export function tellFailure(name: string, error: unknown, { log, showLog }: FailureDeps): void {
  const message = describeError(error);
  log.error("command failed", { name, message, cause: causeOf(error) });
  const openLog = t("Show Log");
  // nobody waits for the message to be closed
  void window.showErrorMessage(message, openLog).then((chosen) => {
    if (chosen === openLog) showLog();
  });
}

function causeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return error.cause instanceof Error ? error.cause.message : undefined;
}
