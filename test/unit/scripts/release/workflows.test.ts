import { describe, expect, it } from "vitest";
import { filesBelow, textOf } from "../../../support/repository.ts";

const workflows = filesBelow(".github/workflows", ".yml");
const text = (name: string) => textOf(`.github/workflows/${name}.yml`);

/** The text of one job of a workflow. */
function jobOf(workflow: string, job: string): string {
  const [, jobs = ""] = workflow.split(/^jobs:\n/m);
  const from = jobs.indexOf(`  ${job}:\n`);
  const rest = jobs.slice(from).slice(1);
  const end = rest.search(/^ {2}\w+:$/m);
  return end < 0 ? rest : rest.slice(0, end);
}

describe("the workflows of a forge", () => {
  it("are two", () => expect(workflows).toHaveLength(2));

  it.each(workflows)(
    "take actions by the hash of a commit, with its version beside it: %s",
    (file) => {
      const used = [...textOf(file).matchAll(/uses: (.*)$/gm)].map(([, action]) => action);
      expect(used.length).toBeGreaterThan(1);
      for (const action of used) {
        expect(action).toMatch(/^actions\/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      }
    },
  );

  it("run what everybody runs", () => {
    for (const name of ["ci", "release"]) expect(text(name)).toMatch(/^ +\.ci\/run$/m);
    const steps = jobOf(text("release"), "build");
    expect(steps).toMatch(/^ +\.ci\/run\n[\s\S]*run: npm run release$/m);
  });

  it("may read, but for the one job that makes a draft, which runs nothing of the checkout", () => {
    const writing = workflows.flatMap((file) => textOf(file).match(/\w+: write/g) ?? []);
    expect(writing).toEqual(["contents: write"]);
    const attach = jobOf(text("release"), "attach");
    expect(attach).toContain("contents: write");
    expect(attach).not.toMatch(/checkout|npm|\.ci/);
    expect(attach).toContain("--draft");
    expect(jobOf(text("release"), "build")).toContain("contents: read");
    expect(text("ci")).toMatch(/^permissions:\n {2}contents: read$/m);
  });

  it("put nothing that a stranger can choose into a command", () => {
    for (const file of workflows) {
      const commands = [...textOf(file).matchAll(/^ +run: (?:\|\n((?: {10}.*\n)+)|(.*)$)/gm)];
      expect(commands.length).toBeGreaterThan(0);
      expect(commands.filter(([command]) => command.includes("${{"))).toEqual([]);
    }
  });
});
