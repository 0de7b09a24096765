import { SIGNAL_NAMES, SIGNALS } from "@rport/protocol/signals";
import { expect, it } from "vitest";
import { textOf } from "../../support/repository.ts";

const SAYS = { stop: /stops in order|the same/, reopenLog: /log file anew/, nothing: /^nothing/ };

it("the page about the configuration says what each signal means, and of no other", () => {
  const section = textOf("docs/configuration.md").split("## Signals")[1]?.split("\n## ")[0] ?? "";
  const rows = [...section.matchAll(/^\| `(SIG\w+)` \| ([^|]+) \|$/gm)];
  expect(rows.map(([, name]) => name)).toEqual(SIGNAL_NAMES);
  for (const name of SIGNAL_NAMES) {
    const row = rows.find(([, written]) => written === name);
    expect(row?.[2], name).toMatch(SAYS[SIGNALS[name]]);
  }
});
