import { element } from "./element.ts";

/** One tab. */
export interface Tab {
  readonly id: string;
  readonly title: string;
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
  label: string,
  tabs: readonly Tab[],
  { chosen, choose }: { chosen: string; choose: (id: string) => void },
): readonly HTMLElement[] {
  if (tabs.length < 2) return [];
  const list = element("div", { role: "tablist", "aria-label": label, class: "tabs" });
  tabs.forEach(({ id, title }, at) => {
    const isChosen = id === chosen;
    const tab = element(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": String(isChosen),
        "aria-controls": "command",
        tabindex: isChosen ? "0" : "-1",
        "data-key": `tab-${id}`,
      },
      title,
    );
    tab.addEventListener("click", () => choose(id));
    tab.addEventListener("keydown", (event) => {
      const next = tabs[keyTarget(event.key, at, tabs.length) ?? -1];
      if (!next) return;
      event.preventDefault();
      tab.parentElement
        ?.querySelector<HTMLElement>(`[data-key="tab-${CSS.escape(next.id)}"]`)
        ?.focus();
      choose(next.id);
    });
    list.append(tab);
  });
  return [list];
}
