import { t } from "@vscode/l10n";
import { window } from "vscode";
import { displayName } from "../../model/arrange.ts";
import type { TagDropped } from "../../model/shown/tagDropped.ts";
import type { ClientTarget } from "../../servers/entities.ts";
import type { Fleet } from "../../servers/fleet.ts";
import { describeError } from "../../support/describeError.ts";
import { plural } from "../../support/plural.ts";
import { plainText } from "../../support/text.ts";

import { whyNotAllowed } from "../people/commandRights.ts";
import { whyNotReachable } from "../reach.ts";
import { give } from "./attributes.ts";

/** What tagging by dragging needs. */
export interface TagByDragDeps {
  readonly fleet: Fleet;
  /** The row of a server, by which rights and reach are asked for. */
  readonly inputOf: (serverKey: string) => Parameters<typeof whyNotReachable>[1];
}

/** Gives clients that were dragged onto a tag this tag beside their own, and offers to take it back. */
export async function tagByDrag(dropped: TagDropped, deps: TagByDragDeps): Promise<void> {
  const input = deps.inputOf(dropped.serverKey);
  const whyNot =
    whyNotReachable("editTags", input, deps.fleet) ?? whyNotAllowed("editTags", input, deps.fleet);
  if (whyNot !== undefined) {
    void window.showInformationMessage(plainText(whyNot));
    return;
  }
  try {
    await tag(dropped, deps.fleet);
  } catch (error) {
    void window.showErrorMessage(describeError(error));
  }
}

async function tag({ serverKey, clientIds, tag: added }: TagDropped, fleet: Fleet): Promise<void> {
  const server = fleet.get(serverKey);
  const targets = clientIds.flatMap((id): ClientTarget[] => {
    const client = server?.mirror.maps.clients.get(id);
    const isNew = client !== undefined && !client.tags.includes(added);
    return server === undefined || !isNew ? [] : [{ server, client }];
  });
  const [first] = targets;
  if (first === undefined) return;
  await give(targets, ({ client }) => ({ tags: [...client.tags, added] }));
  const undo = t("Undo");
  const name = plainText(displayName(first.client));
  const chosen = await window.showInformationMessage(
    plural(
      targets.length,
      t("{0} has the tag {1} now.", name, plainText(added)),
      t("{0} clients have the tag {1} now.", targets.length, plainText(added)),
    ),
    undo,
  );
  if (chosen !== undo) return;
  // who believed its agent before does so again
  await give(targets, ({ client }) => ({
    tags: client.said.tags === undefined ? null : [...client.tags],
  }));
}
