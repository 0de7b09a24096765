import { element } from "./element.ts";

/** One tab. */
export interface Tab {
  readonly id: string;
  readonly title: string;
}

/** A list of tabs. */
export interface Tabs {
  /** What is chosen with it, for those who do not see it. */
  readonly label: string;
  /** Begins the names by which its tabs keep the focus. */
  readonly key: string;
  readonly tabs: readonly Tab[];
  readonly chosen: string;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

function keyTarget(key: string, at: number, count: number): number | undefined {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const step = STEPS[key];
  return step === undefined ? undefined : (at + step + count) % count;
}

/**
 * A WAI-ARIA tab list with roving focus: arrows, Home and End move and choose. Returns nothing to
 * show when there is no choice.
 */
export function renderTabs(
  { label, key, tabs, chosen }: Tabs,
  choose: (id: string) => void,
): readonly HTMLElement[] {
  if (tabs.length < 2) return [];
  const list = element("div", { role: "tablist", "aria-label": label, class: `tabs ${key}` });
  tabs.forEach(({ id, title }, at) => {
    const isChosen = id === chosen;
    const attributes = {
      type: "button",
      role: "tab",
      "aria-selected": String(isChosen),
      "aria-controls": "command",
      tabindex: isChosen ? "0" : "-1",
      "data-key": `${key}-${id}`,
    };
    const tab = element("button", attributes, title);
    tab.addEventListener("click", () => choose(id));
    tab.addEventListener("keydown", (event) => {
      const next = tabs[keyTarget(event.key, at, tabs.length) ?? -1];
      if (!next) return;
      event.preventDefault();
      focusTab(list, `${key}-${next.id}`);
      choose(next.id);
    });
    list.append(tab);
  });
  return [list];
}

function focusTab(list: HTMLElement, key: string): void {
  list.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
}
