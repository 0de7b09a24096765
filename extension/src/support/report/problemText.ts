import { t } from "@vscode/l10n";

/** A fact by its name, as a program calls it. */
export type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a report on a problem is made of. */
export interface Problem {
  readonly computer: Facts;
  readonly settings: Facts;
  readonly servers: readonly Facts[];
  /** The latest lines of the log, oldest first. */
  readonly lines: readonly string[];
}

/** The longest value of a fact. */
const VALUE_MAX = 200;

/**
 * A report as a Markdown text, in which a person still has to say what happened. Everything in it but
 * its own words has gone through `clean`.
 */
export function problemText(problem: Problem, clean: (text: string) => string): string {
  const { computer, settings, servers, lines } = problem;
  const section = (title: string, text: readonly string[]) => [
    `## ${title}`,
    "",
    "```text",
    ...text.map((line) => fenced(clean(line))),
    "```",
    "",
  ];
  const text = [
    `# ${t("Report of a problem with RPort")}`,
    "",
    t(
      "Nothing of this has left your computer. Read it, and copy or save it if you want to send it.",
    ),
    t(
      "Taken out: passwords, tokens, pairing tokens, fingerprints and other long keys and IDs, the names of servers, clients, credentials and of you, mail and network addresses. The same name has the same number everywhere.",
    ),
    "",
    `## ${t("What happened")}`,
    "",
    t("Say here what you did, what you expected, and what happened instead."),
    "",
    ...section(t("This computer"), factLines(computer)),
    ...section(t("Settings"), factLines(settings)),
    ...servers.flatMap((server, at) => section(t("Server {0}", at + 1), factLines(server))),
    ...section(t("Latest lines of the log"), lines),
  ];
  return text.join("\n");
}

function factLines(facts: Facts): readonly string[] {
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${String(value).slice(0, VALUE_MAX)}`);
}

/** A line that ends the block it stands in would be read as Markdown, and so would what follows it. */
function fenced(line: string): string {
  return line.replaceAll(/[\r\n\u2028\u2029]+/g, " ").replace(/^(\s*)(`{3,}|~{3,})/, "$1'''");
}
