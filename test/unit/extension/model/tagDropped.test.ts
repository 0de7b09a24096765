import { expect, it } from "vitest";
import { droppedOn } from "../../../../extension/src/model/shown/tagDropped.ts";

const group = (by: "tag" | "os", value: string) =>
  ({ kind: "group", id: "group", serverKey: "one", by, value, round: 0 }) as const;
const clients = [
  { serverKey: "one", clientId: "web-01" },
  { serverKey: "one", clientId: "web-01" },
  { serverKey: "two", clientId: "web-02" },
];

it("clients get the tag of the group that they are dragged onto, each once, on its own server", () => {
  const dropped = { serverKey: "one", clientIds: ["web-01"], tag: "prod" };
  expect(droppedOn(group("tag", "prod"), clients)).toEqual(dropped);
});

it("nothing is dropped on what is no tag, on those without one, or on another server", () => {
  expect(droppedOn(group("os", "Debian"), clients)).toBeUndefined();
  expect(droppedOn(group("tag", ""), clients)).toBeUndefined();
  expect(droppedOn(undefined, clients)).toBeUndefined();
  expect(droppedOn(group("tag", "prod"), clients.slice(2))).toBeUndefined();
});
