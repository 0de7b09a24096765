import type { FromSheet, SheetState } from "@rport/protocol/sheet";
import { button, element } from "./element.ts";
import { statusOf } from "./status.ts";
import type { Words } from "./words.ts";

function buttonsFor(
  { pairing }: SheetState,
  words: Words,
  post: (message: FromSheet) => void,
): readonly HTMLElement[] {
  const another = () => post({ type: "installAnother" });
  if (pairing.kind !== "connected") return [];
  const show = () => post({ type: "showClient" });
  return [
    button({ key: "show", label: words("showClient"), kind: "primary" }, show),
    button({ key: "another", label: words("another") }, another),
  ];
}

/** What came of the command, and what can be done now; nothing while it waits. */
export function renderNotice(
  state: SheetState,
  words: Words,
  post: (message: FromSheet) => void,
): readonly HTMLElement[] {
  const { sentence, tone } = statusOf(state, words);
  if (sentence === "") return [];
  const buttons = buttonsFor(state, words, post);
  const parts = [element("p", {}, sentence)];
  if (buttons.length > 0) parts.push(element("div", { class: "buttons" }, ...buttons));
  return [element("div", { class: `notice ${tone}` }, ...parts)];
}
