/** What comes after a step of a dialog in several steps. */
export type After =
  | { readonly kind: "next"; readonly step: Step }
  /** To the step before, which finds what was typed there. */
  | { readonly kind: "back" }
  /** To a step that was taken before, as if nothing had come after it. */
  | { readonly kind: "return"; readonly step: Step }
  | { readonly kind: "done" }
  | { readonly kind: "cancelled" };

/** Where a step stands among the others. */
export interface Place {
  /** From 1 on. */
  readonly number: number;
  readonly canGoBack: boolean;
}

/** Asks one thing. */
export type Step = (place: Place) => Promise<After>;

/** Takes the steps from this one on. Answers whether the last one was reached. */
export async function takeSteps(first: Step): Promise<boolean> {
  const before: Step[] = [];
  let current = first;
  for (;;) {
    const place = { number: before.length + 1, canGoBack: before.length > 0 };
    const after = await current(place);
    switch (after.kind) {
      case "next":
        before.push(current);
        current = after.step;
        break;
      case "back":
        current = before.pop() ?? first;
        break;
      case "return":
        before.length = Math.max(0, before.indexOf(after.step));
        current = after.step;
        break;
      default:
        return after.kind === "done";
    }
  }
}
