import { describe, expect, it } from "vitest";
import { clientTooltip } from "../../../extension/src/model/rows/clientRow.ts";
import { credentialTooltip } from "../../../extension/src/model/rows/credentialRow.ts";
import { joinTooltip } from "../../../extension/src/model/rows/joinRow.ts";
import { escapeMarkdown } from "../../../extension/src/support/text.ts";
import { HOSTILE_TEXTS } from "../../support/hostileTexts.ts";
import { client, credential, join } from "./entities.ts";

const NOW = Date.parse("2030-01-01T00:10:00Z");
/** What is taken for itself: a sign behind a backslash, and the one that stands for a dollar. */
const DEAD = /\\[!-/:-@[-`{-~]|&#36;/g;
/** What could begin something in Markdown, or an icon, and what fools an eye. */
const ALIVE = /[\\`*_{}[\]()#+\-.!|<>~:@=&$\p{Cc}\p{Default_Ignorable_Code_Point}]/u;

/** All the tooltips there are, of things that say `text` wherever they can. */
function tooltipsWith(text: string): string[] {
  const said = {
    name: text,
    hostname: text,
    os_full_name: text,
    address: text,
    tags: [text],
    looks_like: "host-2",
    duplicate: {
      hostname: text,
      address: text,
      same_host_key: false,
      count: 1,
      last_at: "2030-01-01T00:00:00Z",
    },
    left_out: [{ remote: text, reason: text }],
  };
  const limits = { cidrs: ["192.0.2.0/24"] };
  return [
    clientTooltip(client("host-1", said), NOW, { looksLike: text, isLikeRevoked: true }),
    joinTooltip(join("join-0001", { name: text, hostname: text, os_full_name: text }), NOW),
    credentialTooltip({
      credential: credential("fleet", { label: text, flooded_at: "2030-01-01T00:09:00Z", limits }),
      sharing: 0,
      warnAfterDays: 0,
      nowMs: NOW,
      hasChildren: false,
    }),
  ];
}

describe("a text that a host says about itself", () => {
  it.each(HOSTILE_TEXTS)("C-07: is no link, icon or markup in a tooltip: %j", (text) => {
    const escaped = escapeMarkdown(text);
    expect(escaped.replaceAll(DEAD, "")).not.toMatch(ALIVE);
    for (const tooltip of tooltipsWith(text)) {
      expect(tooltip).toContain(escaped);
      expect(tooltip.replaceAll(escaped, "").replaceAll("\n", "")).not.toMatch(
        /NAME|[\p{Cc}\p{Default_Ignorable_Code_Point}]/u,
      );
    }
  });
});
