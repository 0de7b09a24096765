import { expect, it } from "vitest";
import { editorTarget } from "../../../../backend/src/tunnels/editorTarget.ts";

it.each([
  [{ port: "22" }, { host: "127.0.0.1", port: 22 }],
  [
    { host: "db.example", port: "5432" },
    { host: "db.example", port: 5432 },
  ],
  [
    { host: "::1", port: "22" },
    { host: "::1", port: 22 },
  ],
  [
    { host: "[::1]", port: "22" },
    { host: "::1", port: 22 },
  ],
])("reads %j", (query, target) => {
  expect(editorTarget({ client_id: "c", ...query })).toEqual({ clientId: "c", target });
});

it.each([
  { port: "22" },
  { client_id: "c" },
  { client_id: "c", port: "0" },
  { client_id: "c", port: "65536" },
  { client_id: "c", port: "22", host: "a b" },
  { client_id: "c", port: "22", host: "" },
  { client_id: "c", port: ["22", "23"] },
  { client_id: "a\u0000", port: "22" },
  { client_id: "c", port: "22:23" },
  { client_id: "c", port: "22", host: "a/tcp" },
])("refuses %j", (query) => {
  expect(() => editorTarget(query)).toThrow(expect.objectContaining({ code: "BAD_REQUEST" }));
});
