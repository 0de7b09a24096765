import { describe, expect, it } from "vitest";
import {
  type ManyLines,
  type Member,
  TypeIntoAll,
} from "../../../../extension/src/terminals/typeIntoAll.ts";
import { FakeClock } from "../../../support/clock.ts";
import { settled } from "./viewerFixture.ts";

const MINUTE_MS = 60_000;

/** A terminal, and what it was sent: pastes in angle brackets. */
function member(name: string) {
  const got: string[] = [];
  const marks: boolean[] = [];
  const of: Member = {
    name,
    host: name,
    place: `${name}-id, prod`,
    session: {
      isAttached: true,
      type: (text) => got.push(text),
      paste: (text) => got.push(`<${text}>`),
    },
    mark: (isMember) => marks.push(isMember),
  };
  return { of, got, marks };
}

/** The mode over web and db, and a terminal that is not of it. */
function typing(answer: "all" | "here" | undefined = undefined) {
  const clock = new FakeClock();
  const told: string[] = [];
  const asked: ManyLines[] = [];
  const counts: number[] = [];
  const [web, db, other] = [member("web-01"), member("db-01"), member("mail-01")];
  let resolve = (_: "all" | "here" | undefined) => {};
  const all = new TypeIntoAll({
    clock,
    askPaste: (question) => {
      asked.push(question);
      const { promise, resolve: answered } = Promise.withResolvers<"all" | "here" | undefined>();
      resolve = answered;
      return promise;
    },
    onTold: (sentence) => told.push(sentence),
    onChanged: (members) => counts.push(members.length),
  });
  all.begin([web.of, db.of]);
  const reply = async () => {
    resolve(answer);
    await settled();
  };
  return { all, clock, told, asked, counts, web, db, other, reply };
}

describe("typing into several terminals", () => {
  it("S-58: sends one line to all of them, and is over behind its Enter", () => {
    const { all, web, db, other, counts, told } = typing();
    for (const key of ["l", "s", "\t", "\r"]) all.type(web.of, key);
    all.type(web.of, "x");
    all.type(other.of, "y");
    expect(db.got).toEqual(["l", "s", "\t", "\r"]);
    expect(web.got).toEqual(["l", "s", "\t", "\r", "x"]);
    expect(other.got).toEqual(["y"]);
    expect([web.marks, db.marks]).toEqual([
      [true, false],
      [true, false],
    ]);
    expect([counts, told]).toEqual([[2, 0], []]);
  });

  it.each([
    ["Ctrl+C", "\u0003"],
    ["Ctrl+D", "\u0004"],
    ["a line with its end", "uptime\r"],
  ])("is over behind %s, which all get", (_, input) => {
    const { all, web, db } = typing();
    all.type(db.of, input);
    expect([web.got, db.got, all.members]).toEqual([[input], [input], []]);
  });

  it("S-58: has keys by their numbers mean the same elsewhere, and ends behind Ctrl+C", () => {
    const { all, web, db, told } = typing();
    const input = ["\u001B[57442;5u", "\u001B[113;1:3u", "\u001B[113u", "\u001B[99;5u"];
    for (const key of input) all.type(web.of, key);
    expect([web.got, db.got]).toEqual([input, ["q", "\u0003"]]);
    expect([all.members, told]).toEqual([[], []]);
  });

  it("S-58: leaves to a terminal what it sends by itself, which is no use of the mode", () => {
    const { all, clock, web, db } = typing();
    clock.advance(MINUTE_MS - 1);
    for (const answer of ["\u001B[?1;2c", "\u001B[3;1R", "\u001B[0n", "\u001B[I"]) {
      all.type(web.of, answer);
    }
    expect([web.got.length, db.got]).toEqual([4, []]);
    clock.advance(1);
    expect(all.members).toEqual([]);
  });

  it("pastes one line without a question, in the way that each program has asked for", () => {
    const { all, asked, web, db } = typing();
    all.type(web.of, "\u001B[200~uptime\u001B[201~");
    expect([web.got, db.got]).toEqual([["\u001B[200~uptime\u001B[201~"], ["<uptime>"]]);
    expect(asked).toEqual([]);
    expect(all.members).toHaveLength(2);
  });

  it("asks before one line is pasted with its end, which runs at once where a program knows no pastes", async () => {
    const { all, asked, web, db, reply } = typing("all");
    all.type(web.of, "\u001B[200~reboot\r\u001B[201~");
    expect([asked.length, web.got, db.got]).toEqual([1, [], []]);
    await reply();
    expect(db.got).toEqual(["<reboot\r>"]);
  });

  it("asks before several lines are pasted, with how many and for whom", async () => {
    const { all, asked, web, db, reply } = typing("all");
    all.type(web.of, "one\rtwo\r");
    expect([web.got, db.got]).toEqual([[], []]);
    expect(asked).toMatchObject([{ lines: 2, members: [{ name: "web-01" }, { name: "db-01" }] }]);
    await reply();
    expect([web.got, db.got, all.members]).toEqual([["one\rtwo\r"], ["one\rtwo\r"], []]);
  });

  it("pastes them into the one terminal alone, or nowhere, if that is the answer", async () => {
    const here = typing("here");
    here.all.type(here.web.of, "one\rtwo");
    await here.reply();
    expect([here.web.got, here.db.got]).toEqual([["one\rtwo"], []]);
    const nowhere = typing(undefined);
    nowhere.all.type(nowhere.web.of, "one\rtwo");
    await nowhere.reply();
    expect([nowhere.web.got, nowhere.db.got]).toEqual([[], []]);
    expect(nowhere.all.members).toHaveLength(2);
    nowhere.clock.advance(MINUTE_MS);
    expect(nowhere.all.members).toEqual([]);
  });

  it("pastes nothing when it has ended while that was asked, also if it began anew", async () => {
    const { all, told, web, db, reply } = typing("all");
    all.type(web.of, "one\rtwo");
    all.begin([web.of, db.of]);
    await reply();
    expect([web.got, db.got]).toEqual([[], []]);
    expect(told).toEqual(["Typing into all has ended: nothing was pasted."]);
  });

  it("has no paste for several hosts that nobody would read", () => {
    const { all, told, web, db } = typing();
    all.type(web.of, "x".repeat(100_000));
    expect([web.got, db.got]).toEqual([[], []]);
    expect(told).toEqual(["This is too much to be pasted into several terminals: it was not."]);
  });

  it.each([
    ["cut", "web-01 is reconnecting"],
    ["ended", "does not have the terminal of web-01 any more"],
  ] as const)("ends when a member is lost, and says which: %s", (loss, why) => {
    const { all, told, web, db, other } = typing();
    all.type(web.of, "r");
    all.lose(other.of, loss);
    expect(told).toEqual([]);
    all.lose(web.of, loss);
    all.type(db.of, "m");
    expect([web.got, db.got]).toEqual([["r"], ["r", "m"]]);
    expect(told).toEqual([expect.stringContaining(why)]);
    all.lose(db.of, loss);
    expect(told).toHaveLength(1);
  });

  it("ends when the keys go to a terminal that is not of it, and not between those that are", () => {
    const { all, told, web, db, other } = typing();
    all.focus(db.of);
    all.type(db.of, "r");
    expect(web.got).toEqual(["r"]);
    all.focus(other.of);
    expect(told).toEqual([
      "Typing into all has ended: you went to another terminal. The line that was begun is in all of them.",
    ]);
    all.begin([web.of, db.of]);
    all.focus(undefined);
    expect(told[1]).toBe("Typing into all has ended: you went to another terminal.");
  });

  it("ends a minute after the last key", () => {
    const { all, clock, told, web } = typing();
    clock.advance(MINUTE_MS - 1);
    all.type(web.of, "r");
    clock.advance(MINUTE_MS - 1);
    expect(all.members).toHaveLength(2);
    clock.advance(1);
    expect(all.members).toEqual([]);
    expect(told).toEqual([expect.stringContaining("nothing was typed for a minute")]);
    expect(clock.timers).toBe(0);
  });

  it("is ended by whoever wants that, without a word unless all have a part of a line", () => {
    const { all, clock, told, web, db } = typing();
    all.stop();
    all.type(web.of, "x");
    expect([web.got, db.got, told, clock.timers]).toEqual([["x"], [], [], 0]);
    all.begin([web.of, db.of]);
    all.type(db.of, "y");
    all.stop();
    expect(told).toEqual(["Typing into all has ended. The line that was begun is in all of them."]);
  });
});
