import { RportError } from "@rport/protocol/errors";
import { groupNameSchema } from "@rport/protocol/people/user";
import { expect, it } from "vitest";
import { EditFeed } from "../../../../backend/src/store/edits/editFeed.ts";
import { testLog } from "../../../support/log.ts";

it("tells every follower, and that one of them did not follow: none may refuse what is durable", () => {
  const { log, lines } = testLog();
  const feed = new EditFeed(log);
  const told: number[] = [];
  const thrown = [new RportError("CONFLICT", "The token has ended."), new Error("out of order")];
  feed.follow(() => {
    throw thrown.shift();
  });
  feed.follow((_edits, seq) => void told.push(seq));
  const group = groupNameSchema.parse("none");
  for (let n = 0; n < 2; n += 1) feed.announce([{ kind: "removeGroup", group }]);
  expect(told).toEqual([1, 2]);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: "error", message: "a change was not followed" }),
    expect.objectContaining({ level: "error", message: "a change was not followed" }),
  ]);
});
