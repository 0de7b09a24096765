import { describe, expect, it } from "vitest";
import { targetLabel, targetSections } from "../../../../extension/src/model/tunnels/targets.ts";
import { HOSTILE_TEXTS } from "../../../support/hostileTexts.ts";

const on = (port: number, address = "0.0.0.0", process = "") => ({ port, address, process });
const itself = (port: number) => ({ host: "127.0.0.1", port });

/** The sections as text: a heading, then `label description` for each place. */
function shown(known: Partial<Parameters<typeof targetSections>[0]>, typed = ""): string[] {
  const sections = targetSections({ recent: [], listening: undefined, ...known }, typed);
  return sections.flatMap(({ heading, targets }) => [
    `= ${heading}`,
    ...targets.map(({ remote, description }) => `${targetLabel(remote)} ${description}`),
  ]);
}

describe("what is offered when a tunnel is opened", () => {
  it("is what was used before, then what listens, then what is common, each place once", () => {
    const listening = [on(22, "0.0.0.0", "sshd"), on(5_432, "127.0.0.1", "postgres"), on(9_999)];
    const lines = shown({ recent: [itself(5_432), { host: "10.0.0.5", port: 80 }], listening });
    expect(lines.slice(0, 7)).toEqual([
      "= used before",
      "5432 PostgreSQL \u00B7 postgres \u00B7 loopback only",
      "10.0.0.5:80 HTTP",
      "= listening there",
      "22 SSH \u00B7 sshd",
      "9999 ",
      "= common services",
    ]);
    expect(lines.filter((line) => /^(22|5432) /.test(line))).toHaveLength(2);
    expect(lines).toContain("3389 Remote Desktop");
  });

  it("has five places of before at the most, and says who listens on one address only", () => {
    const recent = [1, 2, 3, 4, 5, 6, 7].map(itself);
    const listening = [
      on(8_080, "192.0.2.7", "caddy"),
      on(80, "::", "HTTP"),
      on(631, "::1", "cupsd"),
    ];
    const lines = shown({ recent, listening });
    expect(lines.slice(0, lines.indexOf("= common services"))).toEqual([
      ...["= used before", "1 ", "2 ", "3 ", "4 ", "5 ", "= listening there"],
      "192.0.2.7:8080 HTTP \u00B7 caddy \u00B7 only on 192.0.2.7",
      "80 HTTP",
      "[::1]:631 cupsd \u00B7 loopback only",
    ]);
  });

  it("begins with what was typed, and has what fits it by port, service or program", () => {
    const listening = [on(5_432, "127.0.0.1", "postgres"), on(8_123, "0.0.0.0", "clickhouse")];
    expect(shown({ listening }, "5432")).toEqual([
      "= ",
      "5432 PostgreSQL \u00B7 postgres \u00B7 loopback only",
    ]);
    expect(shown({ listening }, " Click ")).toEqual(["= listening there", "8123 clickhouse"]);
    expect(shown({ listening }, "db.intern:3306")).toEqual(["= ", "db.intern:3306 MySQL"]);
    expect(shown({ listening }, "no such thing")).toEqual([]);
  });

  it.each(HOSTILE_TEXTS)("makes no icon, link or second line of a program's name: %j", (name) => {
    const [line = ""] = shown({ listening: [on(1, "0.0.0.0", name)] }, "1 ").slice(-1);
    expect(line).not.toMatch(/\$\(|\]\(|[\p{Cc}\p{Default_Ignorable_Code_Point}]/u);
  });
});
