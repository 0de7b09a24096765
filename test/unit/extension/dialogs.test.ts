import { RportError } from "@rport/protocol/errors";
import type { DeletionReport } from "@rport/protocol/report";
import { deletionReportSchema } from "@rport/protocol/report";
import { describe, expect, it } from "vitest";
import { joinLimit } from "../../../backend/src/credentials/admission/joinRate.ts";
import {
  parseCount,
  parseEnd,
  parseNetworks,
  parseTunnels,
} from "../../../extension/src/commands/limitInput.ts";
import {
  blastLines,
  isHarmless,
  outcomeSentence,
  sumReports,
} from "../../../extension/src/model/blast.ts";
import { JOIN_RATE_PROMPT, joinRate, USUAL_RATE } from "../../../extension/src/model/joinLimit.ts";
import { outcomeText, refusalCounts } from "../../../extension/src/model/outcome.ts";
import { describeError } from "../../../extension/src/support/describeError.ts";
import { inertLine, isPlainLine, plainText } from "../../../extension/src/support/text.ts";
import { credential, refusal } from "./entities.ts";
import { NOW } from "./fleetFixture.ts";

function report(changes: Partial<Record<keyof DeletionReport, unknown>> = {}): DeletionReport {
  const clients = ["a", "b", "c", "d", "e", "f"].map((id) => ({
    id,
    name: `web-${id}`,
    connected: true,
    tunnels: 1,
  }));
  const away = { id: "g", name: "", connected: false, tunnels: 0 };
  return deletionReportSchema.parse({
    clients: [...clients, away],
    disconnected: 6,
    pairings: 2,
    offline: ["g"],
    ...changes,
  });
}

describe("what a deletion hits", () => {
  it("is counted exactly and named as far as names help", () => {
    expect(blastLines(report())).toEqual([
      "Disconnected at once: 6 clients (web-a, web-b, web-c, web-d, web-e +1).",
      "Offline, and refused when back: 1 client (g).",
      "6 open tunnels will end.",
      "2 open pairings will be revoked.",
    ]);
    expect(outcomeSentence(report())).toBe(
      "6 clients were cut off, 1 client is offline and will be refused",
    );
  });

  it("C-07: lets no host forge a line by its name", () => {
    const clients = [{ id: "x", name: "web\n0 clients.\u202E", connected: true, tunnels: 0 }];
    const [line] = blastLines(report({ clients, disconnected: 1 }));
    expect(line).toBe("Disconnected at once: 1 client (web 0 clients.\\u{202E}).");
  });

  it("counts a client once when several acts hit it", () => {
    const sum = sumReports([report(), report({ pairings: 1 })]);
    expect([sum.clients.length, sum.offline.length, sum.pairings]).toEqual([7, 1, 3]);
    expect(isHarmless(sum)).toBe(false);
    expect(isHarmless(sumReports([]))).toBe(true);
  });
});

describe("what came of it", () => {
  it("names who was cut off, who was away, and who has tried since", () => {
    const before = [refusal("r1", { reason: "revoked-credential", count: 2 })];
    const outcome = {
      title: "fleet was deleted",
      atMs: NOW,
      report: report({ pairings: 0 }),
      isMeant: ({ reason }: { reason: string }) => reason === "revoked-credential",
      before: refusalCounts(before),
    };
    const text = (refusals: Parameters<typeof refusalCounts>[0]) =>
      outcomeText(outcome, { serverName: "relay", refusals, nameOf: () => "" });
    expect(text(before)).toContain("Still trying: nobody so far.");
    expect(text(before)).toContain("Cut off: 6 clients\n    web-a, 1 tunnel ended\n");
    expect(text(before)).toContain("Offline at that time: 1 client\n    g\n");
    const after = [
      refusal("r1", { reason: "revoked-credential", count: 5, hostname: "web-a" }),
      refusal("r2", { reason: "revoked-credential", address: "192.0.2.9" }),
      refusal("r3", { reason: "wrong-secret" }),
    ];
    expect(text(after)).toMatch(
      /Still trying: 2 hosts try with it\n {4}192\.0\.2\.66 \(web-a\) {2}refused 3 times, last at .*\n {4}192\.0\.2\.9 {2}refused 1 time,/,
    );
  });
});

describe("limits that are typed", () => {
  it("are numbers, dates to come and networks, or nothing", () => {
    expect(parseCount(" 5 ", "any number")).toEqual({ value: 5 });
    expect(parseCount("", "any number")).toEqual({ value: null });
    for (const wrong of ["0", "-1", "1.5", "100001", "x"]) {
      const { why } = parseCount(wrong, "any number");
      expect(why, wrong).toBe("Type a whole number from 1 to 100000, or nothing for any number.");
    }
    expect(parseTunnels("")).toEqual({ value: null });
    expect([parseTunnels("0"), parseTunnels(" 65536 ")]).toEqual([{ value: 0 }, { value: 65_536 }]);
    for (const wrong of ["-1", "65537", "all"]) {
      expect(parseTunnels(wrong).why, wrong).toContain("from 0 to 65536");
    }
    expect(parseEnd("", NOW)).toEqual({ value: null });
    expect(parseEnd("2031-01-31 14:00", NOW).value).toBe(
      new Date("2031-01-31T14:00").toISOString(),
    );
    expect(parseEnd("2029-01-31", NOW).why).toBe("That is over already.");
    expect(parseEnd("2031-13-01", NOW).why).toContain("Type a date");
    expect(parseNetworks("192.0.2.0/24, 2001:db8::/32 10.0.0.1").value).toHaveLength(3);
    expect(parseNetworks("").value).toEqual([]);
    for (const wrong of ["192.0.2.0/33", "office", "1.2.3/8"]) {
      expect(parseNetworks(wrong).why, wrong).toContain("is no network");
    }
  });
});

describe("how many new clients a credential lets in", () => {
  const words = (limits: Record<string, unknown>, floodedAt: string | null = null) =>
    joinRate(credential("fleet", { limits, flooded_at: floodedAt }));

  it.each([undefined, 7])("is told as the server counts it when the limit is %s", (own) => {
    const { atOnce, perMinute } = joinLimit(own ?? null, false);
    const limits = own === undefined ? {} : { joins_per_minute: own };
    expect(words(limits)).toBe(`${atOnce} at once, then ${perMinute} a minute`);
  });

  it("is less while a credential without a limit of its own is flooded", () => {
    const at = "2030-01-01T00:00:00Z";
    expect(words({}, at)).toBe(`${joinLimit(null, true).perMinute} a minute while flooded`);
    expect(words({ joins_per_minute: 7 }, at)).toBe(words({ joins_per_minute: 7 }));
  });

  it("does not count where every new client waits for a person", () => {
    expect(words({ approval: true })).toContain("wait for approval");
  });

  it("is asked for with what counts when nothing is typed, which is not without a limit", () => {
    expect(JOIN_RATE_PROMPT).toContain(`Nothing: ${USUAL_RATE}`);
    expect(parseCount("0", USUAL_RATE).why).toContain(`nothing for ${USUAL_RATE}`);
    for (const text of [JOIN_RATE_PROMPT, USUAL_RATE]) expect(text).not.toContain("no limit");
  });
});

it.each([
  new RportError("AGENT_REFUSED", "client error: [x](command:y)\u202E", { detail: "$(z)\nnext" }),
  new Error("client error: [x](command:y)\u202E $(z)\nnext"),
])("C-07: an error that a server or a host has worded is no link, icon or second line", (error) => {
  expect(describeError(error)).toBe("client error: [x] (command:y)\\u{202E} $ (z) next");
});

/** A mark of direction, a soft hyphen, tags, and fillers that look like blanks. */
const HIDDEN = "\u061C\u00AD\u{E0000}\u{E0041}\u{E007F}\u115F\u1160\u3164\uFFA0\u202E\u200B";

it("shows a text from outside as one line without icons, links or invisible characters", () => {
  expect(inertLine("a\r\n\tb\u200Bc")).toBe("a b\\u{200B}c");
  for (const character of HIDDEN) {
    expect(inertLine(`a${character}b`)).toMatch(/^a\\u\{[0-9A-F]+\}b$/);
    expect(isPlainLine(`a${character}b`)).toBe(false);
  }
  expect(inertLine("caf\u00E9 \u26A0\uFE0F")).toBe("caf\u00E9 \u26A0\uFE0F");
  expect(plainText("$(trash) [x](command:y)")).toBe("$ (trash) [x] (command:y)");
});
