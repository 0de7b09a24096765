import type { SheetState } from "@rport/protocol/sheet";
import { button, element } from "./element.ts";
import { statusOf } from "./status.ts";
import type { Words } from "./words.ts";

function service({ service: { kind, url } }: SheetState, words: Words): HTMLElement[] {
  if (kind === "embedded") return [];
  return [element("dt", {}, words("service")), element("dd", {}, url)];
}

/** Title, state chip, and the facts a careful person compares before pasting. */
export function renderHeader(
  state: SheetState,
  words: Words,
  changeCredential: () => void,
): readonly HTMLElement[] {
  const { chip, tone } = statusOf(state, words);
  const change = button({ key: "change", label: words("change"), kind: "link" }, changeCredential);
  return [
    element(
      "div",
      { class: "title" },
      element("h1", {}, words("title")),
      element("span", { class: `chip ${tone}` }, chip),
    ),
    element(
      "dl",
      {},
      element("dt", {}, words("server")),
      element("dd", {}, `${state.server.name} · ${state.server.url}`),
      element("dt", {}, words("credential")),
      element("dd", {}, state.credential, " ", change),
      ...service(state, words),
      element("dt", {}, words("fingerprint")),
      element("dd", { class: "mono" }, state.server.fingerprint),
    ),
  ];
}
