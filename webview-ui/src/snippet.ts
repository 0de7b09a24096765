import type { FromSheet, SheetState } from "@rport/protocol/sheet";
import { button, element } from "./element.ts";
import { markCopied } from "./manual.ts";
import { isOpen, isUsable, isWrong } from "./status.ts";
import { renderTabs } from "./tabs.ts";
import type { WordKey, Words } from "./words.ts";

/** What a line is drawn with. */
export interface SnippetGiven {
  readonly words: Words;
  readonly post: (message: FromSheet) => void;
  /** Whether it has just been copied. */
  readonly isCopied: boolean;
}

/** The text of the line that is shown; empty: there is none. */
export function shownText({ platforms, chosen }: SheetState): string {
  const platform = platforms.find(({ id }) => id === chosen.platform);
  return platform?.commands.find(({ id }) => id === chosen.command)?.text ?? "";
}

/**
 * The old command is shown for the moment until the new one is there; the host waits for that to copy it.
 */
function isRenewing({ line }: SheetState): boolean {
  return line.kind === "creating";
}

function buttons(state: SheetState, { words, post, isCopied }: SnippetGiven): HTMLElement {
  const press = (label: WordKey, type: "runInTerminal" | "inspectScript" | "saveScript") => {
    const made = button({ key: type, label: words(label) }, () => post({ type }));
    // what RPort's service hands out is seen there alone
    const isElsewhere = type !== "runInTerminal" && state.service.kind === "rport-pairing";
    made.hidden = isElsewhere || shownText(state) === "";
    return made;
  };
  const run = press("run", "runInTerminal");
  run.disabled = !isUsable(state);
  const revoke = button({ key: "revoke", label: words("revoke") }, () => post({ type: "revoke" }));
  revoke.hidden = !isOpen(state);
  const renew = button({ key: "renew", label: words("renew") }, () => post({ type: "renew" }));
  renew.hidden = !isUsable(state);
  const [inspect, save] = [press("inspect", "inspectScript"), press("saveScript", "saveScript")];
  const copy = copyButton(state, { words, post, isCopied });
  return element("div", { class: "buttons" }, copy, run, inspect, save, renew, revoke);
}

/** Copies a line that can be used, and makes a new one where that is over. */
function copyButton(state: SheetState, { words, post, isCopied }: SnippetGiven): HTMLButtonElement {
  const isCopy = isOpen(state) || isRenewing(state) || isWrong(state);
  const made = isCopy
    ? button({ key: "copy", label: words("copy"), kind: "primary" }, () => post({ type: "copy" }))
    : button({ key: "copy", label: words("renewAndCopy"), kind: "primary" }, () =>
        post({ type: "renew" }),
      );
  made.setAttribute("aria-keyshortcuts", "C");
  made.disabled = isWrong(state);
  if (isUsable(state)) made.title = words("copyHint");
  if (isCopied) markCopied(made, words);
  return made;
}

function heading({ uses, hostname }: SheetState, words: Words): string {
  if (hostname !== "") return words("snippetHost", hostname);
  return uses > 1 ? words("snippetHosts", String(uses)) : words("snippet");
}

function bars(state: SheetState, { words, post }: SnippetGiven): readonly HTMLElement[] {
  const { platforms, chosen } = state;
  const platform = platforms.find(({ id }) => id === chosen.platform);
  const choose = (next: Partial<typeof chosen>) => post({ type: "choose", ...chosen, ...next });
  const ofPlatforms = renderTabs(
    { label: words("platform"), key: "platform", tabs: platforms, chosen: chosen.platform },
    (id) => choose({ platform: id }),
  );
  const tools = platform?.commands ?? [];
  const ofTools = renderTabs(
    { label: words("tool"), key: "tab", tabs: tools, chosen: chosen.command },
    (id) => choose({ command: id }),
  );
  const title = element("h2", {}, heading(state, words));
  return [...ofPlatforms, element("div", { class: "bar" }, title, ...ofTools)];
}

/** Where a line is for, also when there is no other one to choose. */
const ON: Readonly<Partial<Record<string, WordKey>>> = {
  linux: "onLinux",
  macos: "onMacos",
  windows: "onWindows",
  docker: "onDocker",
};

function wordOn({ chosen, linuxNeedsNode = false }: SheetState): WordKey | undefined {
  return chosen.platform === "linux" && linuxNeedsNode ? "onLinuxNode" : ON[chosen.platform];
}

/** The command, its tabs and buttons. One that no longer works is dimmed and cannot be copied. */
export function renderSnippet(state: SheetState, given: SnippetGiven): readonly HTMLElement[] {
  const { words } = given;
  const text = shownText(state);
  // after a reload there is none: it was never kept
  if (text === "") return [buttons(state, given)];
  const attributes = {
    tabindex: "0",
    role: "textbox",
    "aria-readonly": "true",
    "aria-multiline": "true",
    "aria-label": heading(state, words),
    "data-key": "snippet",
    class: isUsable(state) || isRenewing(state) ? "snippet" : "snippet stale",
  };
  const on = wordOn(state);
  const wrong = element("p", { class: "error", role: "alert" }, words("isWrong"));
  return [
    ...bars(state, given),
    ...(on === undefined ? [] : [element("p", { class: "hint on" }, words(on))]),
    element("pre", attributes, element("code", {}, text)),
    ...(isWrong(state) ? [wrong] : []),
    buttons(state, given),
  ];
}
