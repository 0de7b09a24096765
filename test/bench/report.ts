/** What a figure has to be; several checks of one row all have to hold. */
export interface Check {
  readonly value: number;
  readonly bound: "atLeast" | "atMost";
  readonly limit: number;
  /** As it stands behind the number, such as `ms` or `x two plain relays`. */
  readonly unit: string;
}

/** One line of the report. */
export interface Row {
  readonly what: string;
  /** What was measured, with its unit. */
  readonly figure: string;
  /** What was measured in the same run to compare it with; empty when nothing was. */
  readonly against: string;
  /** Empty when there is no target. */
  readonly checks: readonly Check[];
}

/** The rows of one bench, or why there are none. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Sentences: what was left out, and why; how to read a figure. */
  readonly notes: readonly string[];
  readonly failure?: string;
  readonly seconds: number;
}

/** The machine and the moment a report belongs to. */
export interface Circumstances {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Mean number of runnable processes in the minute before. */
  readonly load: number;
}

const HEADINGS = ["what", "figure", "against", "target", "result"] as const;

/** A check that the value is at least the limit. */
export function atLeast(value: number, limit: number, unit: string): Check {
  return { value, bound: "atLeast", limit, unit };
}

/** A check that the value is at most the limit. */
export function atMost(value: number, limit: number, unit: string): Check {
  return { value, bound: "atMost", limit, unit };
}

/** Three significant digits, and no more digits than a reader needs. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "none";
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size === 0) return "0";
  return String(Number(value.toPrecision(size < 1 ? 2 : 3)));
}

/** `met`, or by how much each check was missed. */
export function resultOf(checks: readonly Check[]): string {
  if (checks.length === 0) return "";
  const missed = checks.filter((check) => !isMet(check));
  return missed.length === 0 ? "met" : missed.map(describeMiss).join("; ");
}

/** Whether the value is within its bound. */
export function isMet({ value, bound, limit }: Check): boolean {
  return bound === "atLeast" ? value >= limit : value <= limit;
}

function describeMiss({ value, bound, limit, unit }: Check): string {
  if (!Number.isFinite(value)) return "**missed**: never reached";
  const share = Math.abs(value - limit) / limit;
  const isFarAbove = bound === "atMost" && limit > 0 && value >= 2 * limit;
  const by = isFarAbove
    ? `${number(value / limit)} times`
    : `by ${Math.max(1, Math.round(share * 100))} %`;
  const how = limit === 0 ? "" : ` ${by}`;
  return `**missed**${how}: ${number(value)} ${unit}`;
}

function targetOf(checks: readonly Check[]): string {
  return checks
    .map(
      ({ bound, limit, unit }) => `${bound === "atLeast" ? ">=" : "<="} ${number(limit)} ${unit}`,
    )
    .join(", ");
}

function cellsOf(row: Row): string[] {
  return [row.what, row.figure, row.against, targetOf(row.checks), resultOf(row.checks)];
}

/** A section as Markdown, with the moment and the machine that its figures belong to. */
export function sectionMarkdown(section: Section, at: Circumstances): string {
  const lines = [`## ${section.title}`, "", circumstancesLine(section, at), ""];
  if (section.rows.length > 0) {
    lines.push(`| ${HEADINGS.join(" | ")} |`, `|${" --- |".repeat(HEADINGS.length)}`);
    for (const row of section.rows) lines.push(`| ${cellsOf(row).join(" | ")} |`);
  }
  if (section.failure !== undefined) lines.push("", `**Failed**: ${section.failure}`);
  for (const note of section.notes) lines.push("", note);
  return lines.join("\n");
}

function circumstancesLine(section: Section, at: Circumstances): string {
  const machine = `${at.processor}, ${at.cores} cores, ${at.memoryGb} GB, ${at.system}`;
  const load = `load at the start ${number(at.load)}`;
  return `${at.date}; ${machine}; Node ${at.node}; ${load}. ${summaryOf([section])}.`;
}

/** How many targets were met. */
export function summaryOf(sections: readonly Section[]): string {
  const judged = sections.flatMap(({ rows }) => rows).filter(({ checks }) => checks.length > 0);
  const met = judged.filter(({ checks }) => checks.every(isMet)).length;
  const failed = sections.filter(({ failure }) => failure !== undefined).length;
  const tail = failed > 0 ? `; ${failed} ${failed === 1 ? "bench" : "benches"} failed` : "";
  return `Targets met: ${met} of ${judged.length}${tail}`;
}

/** A section for a terminal: columns as wide as their widest cell. */
export function toText(section: Section): string {
  const table = [HEADINGS as readonly string[], ...section.rows.map(cellsOf)];
  const widths = HEADINGS.map((_, at) =>
    Math.max(...table.map((cells) => (cells[at] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")}`.trimEnd();
  const lines = [`${section.title} (${section.seconds.toFixed(0)} s)`, ...table.map(line)];
  if (section.failure !== undefined) lines.push(`  FAILED: ${section.failure}`);
  for (const note of section.notes) lines.push(`  ${note}`);
  return lines.join("\n").replaceAll("**", "");
}
