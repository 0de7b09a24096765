import { t } from "@vscode/l10n";
import {
  type Disposable,
  type QuickInput,
  QuickInputButtons,
  type QuickPickItem,
  window,
} from "vscode";
import { describeError } from "../../support/describeError.ts";
import type { Place } from "./steps.ts";

/** What somebody answered: a value, the button Back, or nothing, because the dialog was closed. */
export type Answer<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "back" }
  | { readonly kind: "cancelled" };

/** What was made of a text, or why it is not taken. */
export type Checked<T> = { readonly value: T } | { readonly why: string };

/** What is said to nothing. */
export const MISSING = { why: t("Something has to be typed here.") } as const;
/** A field that is empty at first. */
export const PLAIN = { value: "", typed: () => undefined } as const;
/** The same for a secret: those are typed again after a step back. */
export const SECRET = { ...PLAIN, isSecret: true } as const;

/** How a step looks. */
export interface Look {
  readonly title: string;
  readonly place: Place;
  /** How many steps there are, as far as one knows now. */
  readonly total: number;
}

/** A question that is answered by typing. */
export interface TextQuestion<T> extends Look {
  readonly prompt: string;
  readonly placeholder?: string;
  readonly isSecret?: boolean;
  /** What stands in the field at first. */
  readonly value: string;
  /** What is wrong with that, when it is known already. */
  readonly why?: string | undefined;
  /** Hears of every change, so that nothing typed is lost. */
  readonly typed: (text: string) => void;
  /** Looks at what was typed; it may ask a server. What it throws is told under the field. */
  readonly check: (text: string) => Promise<Checked<T>>;
}

/** Asks for a text, until it is one that can be used. Mistakes are told under the field. */
export function askText<T>(question: TextQuestion<T>): Promise<Answer<T>> {
  const box = window.createInputBox();
  box.prompt = question.prompt;
  box.placeholder = question.placeholder;
  box.password = question.isSecret === true;
  box.value = question.value;
  box.validationMessage = question.why;
  return shown(box, question, (settle) => [
    box.onDidChangeValue((text) => {
      question.typed(text);
      box.validationMessage = undefined;
    }),
    box.onDidAccept(async () => {
      if (box.busy) return;
      const checked = await whileBusy(box, () => question.check(box.value));
      if ("value" in checked) settle({ kind: "value", value: checked.value });
      else box.validationMessage = checked.why;
    }),
  ]);
}

async function whileBusy<T>(
  box: QuickInput,
  check: () => Promise<Checked<T>>,
): Promise<Checked<T>> {
  box.busy = true;
  box.enabled = false;
  try {
    return await check();
  } catch (error) {
    return { why: describeError(error) };
  } finally {
    box.enabled = true;
    box.busy = false;
  }
}

/** An entry of a list to choose from. */
export interface Choice<T> extends QuickPickItem {
  readonly target: T;
}

/** A question that is answered by choosing. */
export interface ChoiceQuestion<T> extends Look {
  readonly placeholder: string;
  readonly choices: readonly Choice<T>[];
}

/** Asks for one of several things. */
export function askChoice<T>(question: ChoiceQuestion<T>): Promise<Answer<T>> {
  const pick = window.createQuickPick<Choice<T>>();
  pick.placeholder = question.placeholder;
  pick.items = question.choices;
  return shown(pick, question, (settle) => [
    pick.onDidAccept(() => {
      const [chosen] = pick.selectedItems;
      if (chosen !== undefined) settle({ kind: "value", value: chosen.target });
    }),
  ]);
}

type Settle<T> = (answer: Answer<T>) => void;

/** Shows an input until it is settled, or somebody closes it. */
async function shown<T>(
  input: QuickInput & { buttons: readonly unknown[] } & {
    onDidTriggerButton: (listener: () => void) => Disposable;
  },
  { title, place, total }: Look,
  listen: (settle: Settle<T>) => readonly Disposable[],
): Promise<Answer<T>> {
  input.title = title;
  input.step = place.number;
  input.totalSteps = Math.max(total, place.number);
  input.ignoreFocusOut = true;
  input.buttons = place.canGoBack ? [QuickInputButtons.Back] : [];
  const listeners: Disposable[] = [];
  try {
    return await new Promise<Answer<T>>((settle) => {
      listeners.push(
        ...listen(settle),
        // the only button there is
        input.onDidTriggerButton(() => settle({ kind: "back" })),
        input.onDidHide(() => settle({ kind: "cancelled" })),
      );
      input.show();
    });
  } finally {
    for (const listener of listeners) listener.dispose();
    input.dispose();
  }
}
