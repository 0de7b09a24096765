import type { SheetState } from "@rport/protocol/sheet";
import type { Chosen } from "./choice.ts";
import { button, element } from "./element.ts";
import { isUsable } from "./status.ts";
import { renderTabs } from "./tabs.ts";
import type { Words } from "./words.ts";

/** What a person can do with the command. */
export interface SnippetActions {
  copy(platform: string, command: string): void;
  run(platform: string, command: string): void;
  inspect(): void;
  renew(): void;
  revoke(): void;
  /** Shows the command that downloads in another way. */
  choose(command: string): void;
}

/**
 * The old command is shown for the moment until the new one is there; the host does not copy it.
 */
function isRenewing({ pairing }: SheetState): boolean {
  return pairing.kind === "creating";
}

function buttons(state: SheetState, words: Words, given: Given): HTMLElement {
  const { actions, chosen } = given;
  const usable = isUsable(state);
  const { platform, command } = chosen;
  const copy =
    usable || isRenewing(state)
      ? { label: words("copy"), press: () => actions.copy(platform, command) }
      : { label: words("renewAndCopy"), press: () => actions.renew() };
  const run = button({ key: "run", label: words("run") }, () => actions.run(platform, command));
  run.disabled = !usable;
  const inspect = button({ key: "inspect", label: words("inspect") }, () => actions.inspect());
  inspect.hidden = chosen.text === "";
  run.hidden = chosen.text === "";
  const revoke = button({ key: "revoke", label: words("revoke") }, () => actions.revoke());
  revoke.hidden = !usable;
  const main = button({ key: "copy", label: copy.label, kind: "primary" }, copy.press);
  main.setAttribute("aria-keyshortcuts", "C");
  if (usable) main.title = words("copyHint");
  return element("div", { class: "buttons" }, main, run, inspect, revoke);
}

/** What the command part is made of besides the state. */
interface Given {
  readonly actions: SnippetActions;
  readonly chosen: Chosen;
}

function bar(state: SheetState, words: Words, { actions, chosen }: Given): HTMLElement {
  const commands = state.platforms.flatMap((platform) => platform.commands);
  const choose = (id: string) => actions.choose(id);
  const tabs = renderTabs(words("tool"), commands, { chosen: chosen.command, choose });
  return element("div", { class: "bar" }, element("h2", {}, words("snippet")), ...tabs);
}

/** The command, its tabs and buttons. One that no longer works is dimmed and cannot be copied. */
export function renderSnippet(
  state: SheetState,
  words: Words,
  given: Given,
): readonly HTMLElement[] {
  const attributes = {
    tabindex: "0",
    role: "textbox",
    "aria-readonly": "true",
    "aria-multiline": "true",
    "aria-label": words("snippet"),
    "data-key": "snippet",
    class: isUsable(state) || isRenewing(state) ? "snippet" : "snippet stale",
  };
  const { text } = given.chosen;
  // after a reload there is none: it was never kept
  if (text === "") return [buttons(state, words, given)];
  return [
    bar(state, words, given),
    element("pre", attributes, element("code", {}, text)),
    buttons(state, words, given),
  ];
}
