import type { SheetState } from "@rport/protocol/sheet";
import { element } from "./element.ts";
import type { WordKey, Words } from "./words.ts";

/** What may be chosen; each choice changes the command. */
export type Options = SheetState["options"];

/** How long typing may pause before the command follows. */
const TYPING_PAUSE_MS = 250;

/** `a, b,,a` becomes `["a", "b"]`: trimmed, without empty ones and repeats. */
export function parseTags(text: string): string[] {
  const tags = text.split(",").map((tag) => tag.trim());
  return [...new Set(tags)].filter((tag) => tag !== "");
}

/** The form below "Options". */
export interface OptionsForm {
  readonly root: HTMLElement;
  /** Shows what the host knows, except in the field that is being typed in. */
  show(options: Options): void;
}

function textField(words: Words, key: WordKey, hint?: WordKey) {
  const input = element("input", { type: "text", id: `option-${key}`, spellcheck: "false" });
  const field = element(
    "div",
    { class: "field" },
    element("label", { for: input.id }, words(key)),
    input,
  );
  if (hint) {
    input.setAttribute("aria-describedby", `${input.id}-hint`);
    field.append(element("p", { class: "hint", id: `${input.id}-hint` }, words(hint)));
  }
  return { input, field };
}

function checkField(words: Words, key: WordKey, hint: WordKey) {
  const input = element("input", {
    type: "checkbox",
    id: `option-${key}`,
    "aria-describedby": `option-${key}-hint`,
  });
  const label = element("label", { for: input.id, class: "check" }, input, words(key));
  const text = element("p", { class: "hint", id: `option-${key}-hint` }, words(hint));
  return { input, field: element("div", { class: "field" }, label, text) };
}

const show = (input: HTMLInputElement, value: string): void => {
  if (document.activeElement !== input) input.value = value;
};

/** Builds the form; `changed` gets all options whenever one of them was changed. */
export function renderOptions(words: Words, changed: (options: Options) => void): OptionsForm {
  const name = textField(words, "name", "nameHint");
  const tags = textField(words, "tags");
  const noService = checkField(words, "noService", "noServiceHint");
  const prefix = textField(words, "prefix", "prefixHint");
  const root = element("form", {}, name.field, tags.field, noService.field, prefix.field);
  const read = (): Options => ({
    name: name.input.value.trim(),
    tags: parseTags(tags.input.value),
    noService: noService.input.checked,
    prefix: prefix.input.value.trim(),
  });
  let pause = 0;
  root.addEventListener("input", () => {
    clearTimeout(pause);
    pause = window.setTimeout(() => changed(read()), TYPING_PAUSE_MS);
  });
  root.addEventListener("submit", (event) => event.preventDefault());
  return {
    root,
    show: (options) => {
      show(name.input, options.name);
      show(tags.input, options.tags.join(", "));
      show(prefix.input, options.prefix);
      noService.input.checked = options.noService;
    },
  };
}
