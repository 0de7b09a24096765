import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import {
  Disposable,
  LanguageModelTextPart,
  type LanguageModelTool,
  LanguageModelToolResult,
  lm,
  MarkdownString,
  type PreparedToolInvocation,
} from "vscode";
import { whyNotAllowed } from "../commands/people/commandRights.ts";
import { personalSettings } from "../commands/personalSettings.ts";
import { whyNotReachable } from "../commands/reach.ts";
import type { Nodes } from "../model/node.ts";
import { describeError } from "../support/describeError.ts";
import type { Log } from "../support/log.ts";
import { escapeMarkdown, plainText } from "../support/text.ts";
import type { Documents } from "../views/documents.ts";
import { type ActionsDeps, INTENTIONS, type Intention } from "./actions.ts";
import { Confirmations } from "./confirmations.ts";
import {
  diagnoseClient,
  getClient,
  listClients,
  listCredentials,
  listTunnels,
} from "./readings.ts";
import { ACTING, TOOL_INPUTS, type ToolInput, type ToolName } from "./toolInputs.ts";

/** What the tools need. */
export interface LanguageToolsDeps extends ActionsDeps {
  readonly nodes: Nodes;
  readonly documents: Pick<Documents, "whyOffline">;
  readonly log: Log;
}

type Acting = (typeof ACTING)[number];
type Reading = Exclude<ToolName, Acting>;

const READINGS: {
  readonly [N in Reading]: (input: ToolInput<N>, deps: LanguageToolsDeps) => object;
} = {
  rport_list_clients: (input, { fleet }) => listClients(fleet, input),
  rport_get_client: (input, { fleet }) => getClient(fleet, input),
  rport_list_credentials: (input, { fleet }) => listCredentials(fleet, input),
  rport_list_tunnels: (input, { fleet }) => listTunnels(fleet, input),
  rport_diagnose_client: (input, deps) => diagnoseClient(deps, input),
};

/** Registers the tools that language models of the editor can use; the settings say which may be. */
export function registerLanguageTools(deps: LanguageToolsDeps): Disposable {
  const names = Object.keys(TOOL_INPUTS) as ToolName[];
  return Disposable.from(
    ...names.map((name) =>
      lm.registerTool(name, isActing(name) ? acting(name, deps) : reading(name, deps)),
    ),
  );
}

function isActing(name: ToolName): name is Acting {
  return ACTING.some((each) => each === name);
}

function reading(name: Reading, deps: LanguageToolsDeps): LanguageModelTool<unknown> {
  return {
    prepareInvocation: () => ({ invocationMessage: t("Asking RPort") }),
    invoke: ({ input }) =>
      answer(name, deps, async () => {
        allow(name);
        const read = READINGS[name] as (given: unknown, all: LanguageToolsDeps) => object;
        return read(parse(name, input), deps);
      }),
  };
}

function acting(name: Acting, deps: LanguageToolsDeps): LanguageModelTool<unknown> {
  const confirmations = new Confirmations();
  const intend = async (input: unknown): Promise<Intention> => {
    allow(name);
    const of = INTENTIONS[name] as (given: unknown, all: ActionsDeps) => Promise<Intention>;
    const intention = await of(parse(name, input), deps);
    mayBe(intention, deps);
    return intention;
  };
  return {
    // the person is asked by the editor, with what would be hit
    prepareInvocation: async ({ input }): Promise<PreparedToolInvocation> => {
      const { question, lines, grounds } = await intend(input);
      confirmations.ask(input, grounds);
      const message = new MarkdownString(lines.map(escapeMarkdown).join("\n\n"));
      return { confirmationMessages: { title: plainText(question), message } };
    },
    invoke: ({ input }) =>
      answer(name, deps, async () => {
        const { grounds, act } = await intend(input);
        confirmations.take(input, grounds);
        return act();
      }),
  };
}

/** What a model gives is from outside. */
function parse(name: ToolName, input: unknown): unknown {
  const parsed = TOOL_INPUTS[name].safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new RportError("BAD_REQUEST", `${where === "" ? "The input" : where}: ${issue?.message}.`);
}

/** The manifest hides what may not be used; another extension could still ask for it. */
function allow(name: ToolName): void {
  const { aiTools } = personalSettings;
  if (aiTools === "readWrite" || (aiTools === "read" && !isActing(name))) return;
  throw new RportError("FORBIDDEN", `The setting rport.ai.tools is "${aiTools}".`);
}

function mayBe(
  { command, grounds: { serverKey } }: Intention,
  { nodes, fleet }: LanguageToolsDeps,
): void {
  const input = { node: nodes.get({ kind: "server", serverKey }), isKey: false };
  const whyNot = whyNotReachable(command, input, fleet) ?? whyNotAllowed(command, input, fleet);
  if (whyNot !== undefined) throw new RportError("FORBIDDEN", whyNot);
}

async function answer(
  name: ToolName,
  { log }: LanguageToolsDeps,
  work: () => Promise<object>,
): Promise<LanguageModelToolResult> {
  try {
    const found = await work();
    log.info("a language model used a tool", { name });
    return new LanguageModelToolResult([new LanguageModelTextPart(JSON.stringify(found))]);
  } catch (error) {
    log.warn("a tool was refused to a language model", { name, why: describeError(error) });
    throw new Error(describeError(error), { cause: error });
  }
}
