import { type AttributesChange, whyNotGiven } from "@rport/protocol/attributes";
import { t } from "@vscode/l10n";
import { ThemeIcon, window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import { editedTags, hasSameTags, type TagChoice, tagChoices } from "../../model/tagEdit.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import { describeError } from "../../support/describeError.ts";
import { nameSome, plainText } from "../../support/text.ts";
import type { Handlers } from "../registry.ts";
import { NOUNS } from "../targets/nouns.ts";
import type { Targets } from "../targets/targets.ts";

/** Commands that say what clients are called and filed under. */
export type AttributeHandlers = Pick<Handlers, "renameClient" | "editTags">;

/** More names than these make no sentence. */
const NAMES_MAX = 5;

const SAID = { iconPath: new ThemeIcon("discard"), tooltip: t("Show the tags that the hosts say") };

/** Renaming clients and editing their tags, which the server keeps; as many at once as are selected. */
export function attributeHandlers(targets: Targets): AttributeHandlers {
  return {
    async renameClient(input) {
      const asked = { title: t("Rename which client?"), noun: NOUNS.client };
      const chosen = (await targets.clients(input, asked)) ?? [];
      for (const [n, target] of chosen.entries()) {
        const name = await askName(target, { number: n + 1, of: chosen.length });
        if (name === undefined) return;
        await give([target], () => ({ name: name === "" ? null : name }));
      }
    },
    async editTags(input) {
      const asked = { title: t("Edit the tags of which client?"), noun: NOUNS.client };
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
  throw new Error(
    targets.length === 1
      ? t("{0} could not be changed. {1}", names, first.why)
      : t(
          "{0} of {1} ({2}) could not be changed. {3}",
          failed.length,
          targets.length,
          names,
          first.why,
        ),
  );
}

/** Which one of several a question is about. */
interface Place {
  readonly number: number;
  readonly of: number;
}

async function askName({ client }: ClientTarget, place: Place): Promise<string | undefined> {
  const { name: said } = client.said;
  const now = displayName(client);
  const own = plainText(said ?? client.name);
  const typed = await window.showInputBox({
    title: renameTitle(plainText(now), place),
    value: now,
    prompt:
      own === ""
        ? t("Kept on the server, whatever the host says. Empty: what it says itself.")
        : t("Kept on the server, whatever the host says. Empty: what it says itself, {0}.", own),
    validateInput: (text) => (text.trim() === "" ? undefined : whyNotGiven(text.trim())),
  });
  return typed?.trim();
}

function renameTitle(name: string, place: Place): string {
  if (place.of === 1) return t("Rename {0}", name);
  return t("Rename {0} ({1} of {2})", name, place.number, place.of);
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
  pick.title =
    clients === 1 && only !== undefined
      ? t("Edit Tags of {0}", plainText(displayName(only.client)))
      : t("Edit Tags of {0} Clients", clients);
  pick.placeholder = t("Choose tags, or type a new one; they are kept on the server");
  pick.canSelectMany = true;
  if (targets.some(({ client }) => client.said.tags !== undefined)) pick.buttons = [SAID];
  const known = choices.map(({ tag, on }) => ({
    label: plainText(tag),
    description: on > 0 && on < clients ? t("on {0} of {1}, which keep it", on, clients) : "",
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
    if (isNew) {
      added = [{ label: plainText(typed), description: t("new tag"), tag: typed }, ...added];
    }
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
