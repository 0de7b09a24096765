import type { FromSheet, SheetState } from "@rport/protocol/sheet";
import { button, element } from "./element.ts";
import { hostButtons, stepsText } from "./hosts.ts";
import { onlyHost, statusOf } from "./status.ts";
import type { Words } from "./words.ts";

type Post = (message: FromSheet) => void;

function buttonsFor(state: SheetState, words: Words, post: Post): readonly HTMLElement[] {
  const { line, hosts } = state;
  const host = onlyHost(state);
  if (line.kind === "failed" && line.isService) {
    const instead = { key: "instead", label: words("useThisServer"), kind: "primary" } as const;
    return [button(instead, () => post({ type: "useThisServer" }))];
  }
  const isAnother = line.kind !== "credentialGone" && hosts.length > 0 && line.kind !== "open";
  const made = host === undefined ? [] : hostButtons(host, words, post);
  const isFirst = made.every((one) => !one.classList.contains("primary"));
  const look = { key: "another", label: words("another"), kind: isFirst ? "primary" : "secondary" };
  const another = button(look as Parameters<typeof button>[0], () =>
    post({ type: "installAnother" }),
  );
  if (!isAnother) return made;
  return isFirst ? [another, ...made] : [...made, another];
}

/** What came of the line, and what can be done now; nothing while it waits. */
export function renderNotice(state: SheetState, words: Words, post: Post): readonly HTMLElement[] {
  const { sentence, tone, quote } = statusOf(state, words);
  if (sentence === "") return [];
  const host = onlyHost(state);
  const steps = host === undefined ? "" : stepsText(host, words);
  const buttons = buttonsFor(state, words, post);
  const parts: HTMLElement[] = [element("p", {}, sentence)];
  if (quote !== "") parts.push(element("p", { class: "quote" }, quote));
  if (steps !== "") parts.push(element("p", { class: "hint" }, steps));
  if (buttons.length > 0) parts.push(element("div", { class: "buttons" }, ...buttons));
  return [element("div", { class: `notice ${tone}` }, ...parts)];
}
