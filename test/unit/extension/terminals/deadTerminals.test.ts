import { expect, it } from "vitest";
import type { Terminal } from "vscode";
import { closeDead } from "../../../../extension/src/terminals/deadTerminals.ts";
import { settled } from "./viewerFixture.ts";

it("terminals that a killed extension host left behind are closed, and no others", async () => {
  const closed: string[] = [];
  const terminal = (id: string, creationOptions: object, processId: Promise<number | undefined>) =>
    ({ creationOptions, processId, dispose: () => closed.push(id) }) as unknown as Terminal;
  const none = Promise.resolve(undefined);
  const terminals = [
    terminal("that nothing is known of", { name: "web-01" }, new Promise(() => {})),
    terminal("dead", { name: "web-01" }, none),
    terminal("dead, as editors say it", { name: "db-01" }, Promise.resolve(-1)),
    terminal("dead recording", { name: "old-07 (recording)" }, none),
    terminal("recording that is played", { name: "old-07 (recording)", pty: {} }, none),
    terminal("a shell of that name", { name: "web-01" }, Promise.resolve(4_711)),
    terminal("of a living extension", { name: "web-01", pty: {} }, none),
    terminal("of another name", { name: "tasks" }, none),
    terminal("of none", {}, none),
  ];
  void closeDead(terminals, new Set(["web-01", "db-01"]));
  await settled();
  expect(closed).toEqual(["dead", "dead, as editors say it", "dead recording"]);
});
