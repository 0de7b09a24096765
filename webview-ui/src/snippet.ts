import type { SheetState } from "@rport/protocol/ipc";
import type { Chosen } from "./choice.ts";
import { button, element } from "./element.ts";
import { isUsable } from "./status.ts";
import type { Words } from "./words.ts";

/** What a person can do with the command. */
export interface SnippetActions {
  copy(platform: string, command: string): void;
  run(platform: string, command: string): void;
  inspect(): void;
  renew(): void;
  revoke(): void;
}

function buttons(state: SheetState, words: Words, given: Given): HTMLElement {
  const { actions, chosen } = given;
  const usable = isUsable(state);
  const { platform, command } = chosen;
  const copy = usable
    ? { label: words("copy"), press: () => actions.copy(platform, command) }
    : { label: words("renewAndCopy"), press: () => actions.renew() };
  const run = button({ key: "run", label: words("run") }, () => actions.run(platform, command));
  run.disabled = !usable;
  const revoke = button({ key: "revoke", label: words("revoke") }, () => actions.revoke());
  revoke.hidden = !usable;
  return element(
    "div",
    { class: "buttons" },
    button({ key: "copy", label: copy.label, kind: "primary" }, copy.press),
    run,
    button({ key: "inspect", label: words("inspect") }, () => actions.inspect()),
    revoke,
  );
}

/** What the command part is made of besides the state. */
interface Given {
  readonly actions: SnippetActions;
  readonly chosen: Chosen;
}

/** The command and its buttons. A command that no longer works is dimmed and cannot be copied. */
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
    class: isUsable(state) ? "snippet" : "snippet stale",
  };
  return [
    element("pre", attributes, element("code", {}, given.chosen.text)),
    buttons(state, words, given),
  ];
}
