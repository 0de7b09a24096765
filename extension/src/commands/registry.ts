import { commands, Disposable, window } from "vscode";
import { COMMANDS, type CommandName } from "../manifest.ts";
import type { Node, Nodes } from "../model/node.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import { plainText } from "../support/text.ts";

/** The rows a command was called on; both empty when it was called from the palette. */
export interface CommandInput {
  readonly node: Node | undefined;
  /** All selected rows, the clicked one included. */
  readonly selection: readonly Node[];
}

/** Does the work of a command; what it throws becomes a message. */
export type Handler = (input: CommandInput) => Promise<void>;

/** A handler for every command of the manifest; a missing one does not compile. */
export type Handlers = Readonly<Record<CommandName, Handler>>;

/** What registering needs. */
export interface RegistryDeps {
  readonly nodes: Nodes;
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

function inputOf(first: unknown, second: unknown, { nodes }: RegistryDeps): CommandInput {
  const node = nodes.owns(first) ? first : undefined;
  const listed = Array.isArray(second) ? second.filter((each) => nodes.owns(each)) : [];
  if (node === undefined) return { node, selection: listed };
  return { node, selection: listed.includes(node) ? listed : [node] };
}

async function run(
  name: CommandName,
  handler: Handler,
  { input, deps }: { input: CommandInput; deps: RegistryDeps },
): Promise<void> {
  const { log, showLog } = deps;
  log.debug("command", { name, on: input.node?.kind });
  const whyNot = deps.whyNotAllowed(name, input);
  if (whyNot !== undefined) {
    void window.showInformationMessage(plainText(whyNot));
    return;
  }
  try {
    await handler(input);
  } catch (error) {
    const message = describeError(error);
    log.error("command failed", { name, message, cause: causeOf(error) });
    const openLog = "Show Log";
    // nobody waits for the message to be closed
    void window.showErrorMessage(message, openLog).then((chosen) => {
      if (chosen === openLog) showLog();
    });
  }
}

function causeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return error.cause instanceof Error ? error.cause.message : undefined;
}
