import { clientSchema } from "@rport/protocol/model";
import { describe, expect, it } from "vitest";
import { nearOnlyOf } from "../../../extension/src/install/nearOnly.ts";
import { baseUrlOf } from "../../../extension/src/servers/config.ts";
import { describeError } from "../../../extension/src/support/describeError.ts";
import { createLog } from "../../../extension/src/support/log.ts";
import { Redactor } from "../../../extension/src/support/redact.ts";
import { Anonymizer } from "../../../extension/src/support/report/anonymizer.ts";
import { escapeMarkdown, plainText } from "../../../extension/src/support/text.ts";
import { growsEvenly } from "../../support/growth.ts";
import { client } from "./entities.ts";

/** What makes a careless pattern look at each part once for each other one. */
const HOSTILE: readonly (readonly [string, (length: number) => string])[] = [
  ["spaces behind a telling name", (length) => `token${" ".repeat(length)}"`],
  ["telling names with spaces", (length) => "token  ".repeat(length / 7)],
  ["colons with spaces", (length) => `password${" :".repeat(length / 2)}`],
  ["one word", (length) => "a".repeat(length)],
  ["a word of many parts", (length) => "a-".repeat(length / 2)],
  ["signs of addresses", (length) => "a@=".repeat(length / 3)],
  ["digits", (length) => "1".repeat(length)],
  ["numbers and colons", (length) => "1:".repeat(length / 2)],
  ["numbers and dots", (length) => "1.".repeat(length / 2)],
  ["slashes", (length) => `${"/".repeat(length)}x`],
  ["schemes", (length) => "a+".repeat(length / 2)],
];

describe.each(HOSTILE)("a long text of a server: %s", (_what, text) => {
  it("is cleaned of secrets in a time that grows as it does", () => {
    expect(growsEvenly((length) => new Redactor().clean(text(length)))).toBe(true);
  });

  it("is made a report's in a time that grows as it does", () => {
    const anonymizer = new Anonymizer({ client: ["web-01"] });
    expect(growsEvenly((length) => anonymizer.clean(text(length)))).toBe(true);
  });

  it("is made plain in a time that grows as it does", () => {
    expect(growsEvenly((length) => plainText(text(length)))).toBe(true);
    expect(growsEvenly((length) => escapeMarkdown(text(length)))).toBe(true);
  });

  it("is taken for an address in a time that grows as it does", () => {
    const at = (length: number) => `http://127.0.0.1/${text(length)}`;
    expect(growsEvenly((length) => baseUrlOf(at(length)))).toBe(true);
    const facts = {
      listensTo: "all-addresses" as const,
      cards: [{ card: "eth0", address: "192.0.2.1" }],
    };
    expect(growsEvenly((length) => nearOnlyOf({ ...facts, url: at(length) }))).toBe(true);
  });
});

describe("a line of the log", () => {
  function logged() {
    const lines: string[] = [];
    const redactor = new Redactor();
    const sink = (line: string) => void lines.push(line);
    const log = createLog({ debug: sink, info: sink, warn: sink, error: sink }, redactor);
    return { lines, redactor, log };
  }

  it("has so much of each field, and says how much is missing", () => {
    const { lines, log } = logged();
    log.error("command failed", { cause: "x".repeat(64_000), name: "adopt" });
    const [line = ""] = lines;
    expect(line.length).toBeLessThan(4_200);
    expect(line).toContain('...+60000" name="adopt"');
  });

  it("has no part of a secret that is cut there", () => {
    const { lines, redactor, log } = logged();
    const secret = "s3cr3t-Xq9-unlike-any-word";
    redactor.add(secret);
    for (let at = 3_960; at <= 4_010; at += 1) {
      log.error("command failed", { cause: `${"y".repeat(at)}${secret}${"z".repeat(100)}` });
    }
    for (const line of lines) expect(line).not.toMatch(/ys|[^y]s3|Xq9/);
  });

  it("has values behind telling names taken out, however they stand there", () => {
    const redactor = new Redactor();
    const texts = [
      "token=abc1",
      "token: abc1",
      "token  abc1",
      'token" : "abc1',
      "Authorization: Bearer abc1",
      "authorization=Basic abc1",
      "Bearer abc1",
      "token\t= abc1",
    ];
    for (const text of texts) expect(redactor.clean(text)).not.toContain("abc1");
    expect(redactor.clean("tokens are fine")).toBe("tokens are fine");
  });
});

describe("what a person is told of a fault", () => {
  it("has a sentence's length, whatever a server said", () => {
    expect(describeError(new Error("x".repeat(100_000))).length).toBeLessThanOrEqual(2_000);
  });

  it("has so much of a key that is wrong", () => {
    const labels = { ["k".repeat(100_000)]: "v" };
    const parsed = clientSchema.safeParse({ ...client("web-01"), labels });
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message.length).toBeLessThan(1_000);
  });
});
