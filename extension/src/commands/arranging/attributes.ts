import { type AttributesChange, whyNotGiven } from "@rport/protocol/attributes";
import { ThemeIcon, window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { editedTags, hasSameTags, type TagChoice, tagChoices } from "../../model/tagEdit.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { describeError } from "../../support/describeError.ts";
import { count, nameSome, plainText } from "../../support/text.ts";
import type { Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";

/** Commands that say what clients are called and filed under. */
export type AttributeHandlers = Pick<Handlers, "renameClient" | "editTags">;

/** More names than these make no sentence. */
const NAMES_MAX = 5;

const SAID = { iconPath: new ThemeIcon("discard"), tooltip: "Show the tags that the hosts say" };

/** Renaming clients and editing their tags, which the server keeps; as many at once as are selected. */
export function attributeHandlers(targets: Targets): AttributeHandlers {
  return {
    async renameClient(input) {
      const asked = { title: "Rename which client?", noun: NOUNS.client };
      const chosen = (await targets.clients(input, asked)) ?? [];
      for (const [n, target] of chosen.entries()) {
        const place = chosen.length === 1 ? "" : ` (${n + 1} of ${chosen.length})`;
        const name = await askName(target, place);
        if (name === undefined) return;
        await give([target], () => ({ name: name === "" ? null : name }));
      }
    },
    async editTags(input) {
      const asked = { title: "Edit the tags of which client?", noun: NOUNS.client };
      const chosen = await targets.clients(input, asked);
      if (chosen === undefined) return;
      const clients = chosen.map(({ client }) => client);
      const known = chosen.flatMap(({ server }) => [...server.mirror.maps.clients.values()]);
      const choices = tagChoices(clients, known);
      const tags = await pickTags(chosen, choices);
      if (tags === undefined) return;
      await give(chosen, ({ client }) => {
        if (tags === "said") return { tags: null };
        const edited = editedTags(client, choices, { chosen: tags, clients: clients.length });
        return hasSameTags(edited, client.tags) ? undefined : { tags: [...edited] };
      });
    },
  };
}

/**
 * Gives each client what `changeOf` says; undefined: it stays as it is. Fails with the names of those that could
 * not be changed, after the others were.
 */
export async function give(
  targets: readonly ClientTarget[],
  changeOf: (target: ClientTarget) => AttributesChange | undefined,
): Promise<void> {
  const failed: { readonly name: string; readonly why: string }[] = [];
  for (const target of targets) {
    const body = changeOf(target);
    if (body === undefined) continue;
    const { server, client } = target;
    try {
      await server.api.call("setClientAttributes", { params: { clientId: client.id }, body });
    } catch (error) {
      failed.push({ name: displayName(client), why: describeError(error) });
    }
  }
  const [first] = failed;
  if (first === undefined) return;
  const names = nameSome(
    failed.map(({ name }) => plainText(name)),
    NAMES_MAX,
  );
  const whom = targets.length === 1 ? names : `${failed.length} of ${targets.length} (${names})`;
  throw new Error(`${whom} could not be changed. ${first.why}`);
}

async function askName({ client }: ClientTarget, place: string): Promise<string | undefined> {
  const { name: said } = client.said;
  const now = displayName(client);
  const own = plainText(said ?? client.name);
  const typed = await window.showInputBox({
    title: `Rename ${plainText(now)}${place}`,
    value: now,
    prompt: `Kept on the server, whatever the host says. Empty: what it says itself${own === "" ? "" : `, ${own}`}.`,
    validateInput: (text) => (text.trim() === "" ? undefined : whyNotGiven(text.trim())),
  });
  return typed?.trim();
}

type TagItem = { readonly label: string; readonly description: string; readonly tag: string };

/** Asks for the tags of all these clients; `said`: those that each host says itself. */
function pickTags(
  targets: readonly ClientTarget[],
  choices: readonly TagChoice[],
): Promise<readonly string[] | "said" | undefined> {
  const clients = targets.length;
  const pick = window.createQuickPick<TagItem>();
  const [only] = targets;
  const whose = clients === 1 && only !== undefined ? displayName(only.client) : undefined;
  pick.title = `Edit Tags of ${whose === undefined ? count(clients, "Client") : plainText(whose)}`;
  pick.placeholder = "Choose tags, or type a new one; they are kept on the server";
  pick.canSelectMany = true;
  if (targets.some(({ client }) => client.said.tags !== undefined)) pick.buttons = [SAID];
  const known = choices.map(({ tag, on }) => ({
    label: plainText(tag),
    description: on > 0 && on < clients ? `on ${on} of ${clients}, which keep it` : "",
    tag,
  }));
  let added: readonly TagItem[] = [];
  pick.items = known;
  pick.selectedItems = known.filter((_, n) => choices[n]?.on === clients);
  const offerNew = (typed: string) => {
    const chosen = pick.selectedItems;
    added = added.filter((item) => chosen.includes(item));
    const isKnown = [...known, ...added].some(({ tag }) => tag === typed);
    const isNew = typed !== "" && !isKnown && whyNotGiven(typed) === undefined;
    if (isNew) added = [{ label: plainText(typed), description: "new tag", tag: typed }, ...added];
    pick.items = [...added, ...known];
    pick.selectedItems = chosen;
  };
  return new Promise((resolve) => {
    pick.onDidChangeValue((value) => offerNew(value.trim()));
    pick.onDidAccept(() => {
      resolve(pick.selectedItems.map(({ tag }) => tag));
      pick.hide();
    });
    pick.onDidTriggerButton(() => {
      resolve("said");
      pick.hide();
    });
    pick.onDidHide(() => {
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
  });
}
