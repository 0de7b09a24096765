import type { Client } from "@rport/protocol/model";
import { commands, env, window } from "vscode";
import { VIEWS } from "../manifest.ts";
import { displayName } from "../model/arrange.ts";
import { duplicateSentence } from "../model/clientRow.ts";
import { count, nameSome } from "../support/text.ts";
import type { Documents } from "../views/documents.ts";
import type { CommandInput, Handlers } from "./registry.ts";
import type { ClientTarget, Question, Targets } from "./target.ts";

/** Names in a question; more are counted. */
const NAMES_MAX = 5;
/** How long the status bar says that something was copied. */
export const COPIED_MS = 3_000;

/** What the commands on clients need. */
export interface ClientCommandsDependencies {
  readonly targets: Targets;
  readonly documents: Documents;
  /** Shows and selects a client in the tree. */
  readonly reveal: (target: ClientTarget) => Promise<void>;
}

/** Commands that a client is the object of. */
export type ClientHandlers = Pick<
  Handlers,
  | "findClient"
  | "goToClient"
  | "showDetails"
  | "copyClientName"
  | "copyClientId"
  | "copyClientAddress"
  | "forgetClient"
  | "showDuplicate"
  | "showEarlier"
>;

/** Finding clients, looking at them, and forgetting those that are gone for good. */
export function clientHandlers(dependencies: ClientCommandsDependencies): ClientHandlers {
  const { targets, documents, reveal } = dependencies;
  const one = async (input: CommandInput, question: Question) =>
    (await targets.clients(input, question))?.[0];
  const copier =
    (title: string, textOf: (target: ClientTarget) => string): Handlers["copyClientId"] =>
    async (input) => {
      const chosen = await targets.clients(input, { title });
      if (chosen !== undefined) await copyLines(chosen.map(textOf));
    };
  return {
    async findClient() {
      await commands.executeCommand(`${VIEWS.clients}.focus`);
      await commands.executeCommand("list.find");
    },
    async goToClient(input) {
      const [target] = (await targets.clients(input, { title: "Go to which client?" })) ?? [];
      if (target !== undefined) await reveal(target);
    },
    async showDetails(input) {
      const [target] =
        (await targets.clients(input, { title: "Show details of which client?" })) ?? [];
      if (target !== undefined) await documents.showClient(target.server.key, target.client.id);
    },
    copyClientName: copier("Copy the name of which client?", ({ client }) => displayName(client)),
    copyClientId: copier("Copy the ID of which client?", ({ client }) => client.id),
    copyClientAddress: copier(
      "Copy the address of which client?",
      ({ client }) => client.ipv4[0] ?? client.ipv6[0] ?? client.address,
    ),
    async showDuplicate(input) {
      const fits = ({ duplicate }: Client) => duplicate !== null;
      const target = await one(input, { title: "Show the duplicate of which client?", fits });
      if (target !== undefined) await showDuplicate(target);
    },
    async showEarlier(input) {
      const fits = (client: Client) => client.looks_like !== null;
      const target = await one(input, { title: "Show the earlier record of which client?", fits });
      const earlier = target?.server.mirror.clients.get(target.client.looks_like ?? "");
      if (target !== undefined && earlier !== undefined) {
        await reveal({ server: target.server, client: earlier });
      }
    },
    async forgetClient(input) {
      const title = "Forget which client?";
      const chosen = await targets.clients(input, { title, status: "offline" });
      if (chosen !== undefined && (await confirmForget(chosen))) {
        for (const { server, client } of chosen) {
          await server.api.call("deleteClient", { params: { clientId: client.id } });
        }
      }
    },
  };
}

async function showDuplicate({ client }: ClientTarget): Promise<void> {
  const { duplicate } = client;
  if (duplicate === null) return;
  const copyAddress = "Copy Its Address";
  const detail = [
    duplicateSentence(duplicate),
    `The host that was connected first stays, the other one is refused. To let both in, give the other one a client ID of its own: uninstall the agent there, and install it again.`,
  ].join("\n\n");
  const chosen = await window.showWarningMessage(
    `Two hosts claim to be ${displayName(client)}`,
    { modal: true, detail },
    copyAddress,
  );
  if (chosen === copyAddress) await copyLines([duplicate.address]);
}

async function confirmForget(chosen: readonly ClientTarget[]): Promise<boolean> {
  const names = chosen.map(({ client }) => displayName(client));
  const servers = [...new Set(chosen.map(({ server }) => server.name))];
  const what = names.length === 1 ? names[0] : count(names.length, "client");
  const forget = "Forget";
  const answer = await window.showWarningMessage(
    `Forget ${what} on ${nameSome(servers, NAMES_MAX)}?`,
    {
      modal: true,
      detail: `${nameSome(names, NAMES_MAX)}: the records on the server are deleted, with their history. A client that connects again comes back as a new one, unless its credential was deleted.`,
    },
    forget,
  );
  return answer === forget;
}

/** Copies texts, one a line, and says so for a moment without asking for attention. */
export async function copyLines(lines: readonly string[]): Promise<void> {
  await env.clipboard.writeText(lines.join("\n"));
  const what = lines.length === 1 ? lines[0] : `${lines.length} lines`;
  window.setStatusBarMessage(`Copied ${what}`, COPIED_MS);
}
