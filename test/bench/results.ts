import { type Circumstances, type Section, sectionMarkdown } from "./report.ts";

const HEAD = `# Measurements

Written by \`npm run bench\`; not edited by hand. A run of some benches replaces their sections and leaves the others as
they are. All processes on one machine, over loopback: load, server, agent and target share its cores. MB = 1e6 bytes.
Absolute figures differ by +-20 % from run to run; ratios, whose two sides come from the same run, hold.
`;

/** A section that was measured, and when. */
export interface Measured {
  readonly section: Section;
  readonly at: Circumstances;
}

/**
 * The whole of results.md: what was measured now in the place of the same section before, everything
 * else as it was, in the order of `titles`. What has none of these titles is dropped.
 */
export function resultsText(
  before: string,
  measured: readonly Measured[],
  titles: readonly string[],
): string {
  const sections = new Map(sectionsOf(before));
  for (const { section, at } of measured) {
    sections.set(section.title, sectionMarkdown(section, at));
  }
  const texts = titles.flatMap((title) => sections.get(title) ?? []);
  return `${[HEAD.trim(), ...texts].join("\n\n")}\n`;
}

function sectionsOf(text: string): readonly (readonly [title: string, text: string])[] {
  const [, ...parts] = `\n${text}`.split(/^## /m);
  return parts.map((part) => [part.slice(0, part.indexOf("\n")).trim(), `## ${part}`.trim()]);
}
