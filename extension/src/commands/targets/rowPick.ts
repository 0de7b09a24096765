import { type QuickPickItem, ThemeIcon, window } from "vscode";
import type { Node } from "../../model/node.ts";
import { plainText } from "../../support/text.ts";
import type { RowContext } from "../../views/rowContext.ts";
import { rowOf } from "../../views/rows.ts";

/** An entry that stands for something. */
export type Choice<T> = QuickPickItem & { readonly target: T };

/**
 * How a row looks in a list: with what stands above it in the tree, where that is needed to know it, and
 * with its server where there are several.
 */
export function rowChoice<T>(
  node: Node,
  { target, above = "" }: { readonly target: T; readonly above?: string },
  context: RowContext,
): Choice<T> {
  const { label, description, icon } = rowOf(node, context);
  const { fleet } = context;
  const server = fleet.servers.length > 1 ? fleet.get(node.serverKey)?.name : "";
  const choice = {
    label: plainText(label),
    description: plainText([above, description, server].filter(Boolean).join(" \u00B7 ")),
    target,
  };
  // an icon in the label would be spoken by its name
  return icon === undefined ? choice : { ...choice, iconPath: new ThemeIcon(icon.name) };
}

/** Asks which one; undefined when nobody chooses. */
export async function pick<T>(
  choices: readonly Choice<T>[],
  title: string,
): Promise<T | undefined> {
  return (await window.showQuickPick(choices, { title, matchOnDescription: true }))?.target;
}

/** Says why there is nothing to choose. */
export function nothing(message: string): undefined {
  void window.showInformationMessage(plainText(message));
}
