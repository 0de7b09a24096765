import { REQUESTS } from "@rport/protocol/agent";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { FROM_AGENTS } from "../../../../../backend/src/clients/session/fromAgents.ts";
import {
  type Notice,
  Notices,
  type NoticeTarget,
} from "../../../../../backend/src/clients/session/notices.ts";

const SESSION = {} as NoticeTarget;

function open() {
  const heard: string[] = [];
  const ended: Notice<{ readonly id: string }> = {
    name: "ended",
    maxBytes: 20,
    schema: z.object({ id: z.string() }),
    handle({ id }) {
      heard.push(id);
      return id !== "gone";
    },
  };
  const notices = new Notices([ended]);
  const say = (name: string, text: string) => notices.take(name, Buffer.from(text), SESSION);
  return { heard, say };
}

describe("what agents may say by themselves", () => {
  it("is read by its schema and handled", () => {
    const { heard, say } = open();
    expect(say("ended", '{"id":"one"}')).toBeUndefined();
    expect(heard).toEqual(["one"]);
  });

  it.each([
    ["no JSON", "{"],
    ["of another form", '{"id":1}'],
    ["nothing", ""],
    ["larger than it may be", '{"id":"0123456789ab"}'],
  ])("is not handled when it is %s", (_what, text) => {
    const { heard, say } = open();
    expect(say("ended", text)).toMatchObject({ line: "agent sent a malformed request" });
    expect(heard).toEqual([]);
  });

  it("is refused when it is about nothing that there is", () => {
    const { say } = open();
    expect(say("ended", '{"id":"gone"}')).toMatchObject({ text: "unknown request" });
  });

  it("is refused unread while nobody waits for such a thing", () => {
    let read = 0;
    const counted = z.unknown().transform(() => {
      read += 1;
    });
    const isExpected = ({ expectsEnds }: NoticeTarget) => expectsEnds;
    const ended: Notice<void> = {
      name: "ended",
      maxBytes: 20,
      schema: counted,
      isExpected,
      handle: () => true,
    };
    const notices = new Notices([ended]);
    const say = (expectsEnds: boolean) =>
      notices.take("ended", Buffer.from("{}"), { expectsEnds } as NoticeTarget);
    expect(say(false)).toMatchObject({ text: "unknown request" });
    expect(read).toBe(0);
    expect(say(true)).toBeUndefined();
    expect(read).toBe(1);
  });

  it("is nothing that is not in the list", () => {
    const { say } = open();
    expect(say("Ended", "{}")).toMatchObject({ text: "unknown request" });
    expect(say(REQUESTS.newConnection, "{}")).toMatchObject({
      text: expect.stringContaining("please reconnect"),
    });
  });

  it("has each name once", () => {
    const names = FROM_AGENTS.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    expect(names).toContain(REQUESTS.ping);
  });
});
