import { expect, it } from "vitest";
import type { Terminal } from "vscode";
import { closeDead } from "../../../../extension/src/terminals/deadTerminals.ts";

it("terminals that a killed extension host left behind are closed, and no others", async () => {
  const closed: string[] = [];
  const terminal = (id: string, creationOptions: object, processId: number | undefined) =>
    ({
      creationOptions,
      processId: Promise.resolve(processId),
      dispose: () => closed.push(id),
    }) as unknown as Terminal;
  const terminals = [
    terminal("dead", { name: "web-01" }, undefined),
    terminal("dead, as editors say it", { name: "db-01" }, -1),
    terminal("a shell of that name", { name: "web-01" }, 4_711),
    terminal("of a living extension", { name: "web-01", pty: {} }, undefined),
    terminal("of another name", { name: "tasks" }, undefined),
    terminal("of none", {}, undefined),
  ];
  await closeDead(terminals, new Set(["web-01", "db-01"]));
  expect(closed).toEqual(["dead", "dead, as editors say it"]);
});
