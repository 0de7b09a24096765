import type { FromSheet, SheetState } from "@rport/protocol/sheet";
import { button, element } from "./element.ts";
import type { WordKey, Words } from "./words.ts";

type Post = (message: FromSheet) => void;
type ManualMessage = Extract<FromSheet["type"], `${string}Manual`>;

/** The way without an installer: a file with a secret, which is masked unless it is asked for. */
export function renderManual(
  { manual }: SheetState,
  words: Words,
  { post, isCopied }: { readonly post: Post; readonly isCopied: boolean },
): HTMLElement[] {
  const press = (label: WordKey, type: ManualMessage, kind?: "primary") =>
    button({ key: type, label: words(label), kind }, () => post({ type }));
  const intro = element("p", {}, words("manualIntro"));
  if (manual.kind === "making") return [intro, element("p", {}, words("manualMaking"))];
  if (manual.kind !== "made") {
    const make = element("div", { class: "buttons" }, press("manualMake", "makeManual"));
    if (manual.kind === "none") return [intro, make];
    const text = manual.kind === "failed" ? manual.reason : words("manualRevoked");
    return [intro, element("p", { class: "notice" }, text), make];
  }
  const attributes = { class: "file", tabindex: "0", "data-key": "manual-file" };
  const copy = press("manualCopy", "copyManual", "primary");
  if (isCopied) markCopied(copy, words);
  return [
    intro,
    element("pre", attributes, element("code", {}, manual.text)),
    element("p", { class: "warn" }, words("manualWarning")),
    element(
      "div",
      { class: "buttons" },
      copy,
      press("manualSave", "saveManual"),
      press(manual.isShown ? "manualHide" : "manualShow", "showManual"),
      press("manualRevoke", "revokeManual"),
    ),
  ];
}

/** Lets a button say that what it copies has been copied. */
export function markCopied(copy: HTMLButtonElement, words: Words): void {
  copy.textContent = words("copied");
  copy.classList.add("copied");
}
