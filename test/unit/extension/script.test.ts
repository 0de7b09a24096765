import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readScript } from "../../../extension/src/install/script.ts";
import { FakeServer } from "./fakeServer.ts";
import { serverOn } from "./serverFixture.ts";

const SCRIPT = "#!/bin/sh\necho installed\n";
const sha256 = createHash("sha256").update(SCRIPT).digest("hex");
const PATH = "/p/0123456789ABCDEF";

describe("the script that a line runs", () => {
  it("S-14: is read from the server itself, whatever address it names, and without the token", async () => {
    await using server = await FakeServer.start();
    await using other = await FakeServer.start();
    server.reply = () => ({ status: 200, body: SCRIPT });
    const { api } = serverOn(server).server;
    const named = { script_url: `${other.url}${PATH}?x#y`, script_sha256: sha256 };
    expect(await readScript(api, named)).toBe(SCRIPT);
    expect(other.requests).toEqual([]);
    expect(server.requests).toMatchObject([{ url: PATH, authorization: undefined }]);
  });

  it.each(["//", "/\\\\", "/%2e//"])(
    "S-14: is not looked for elsewhere where its path begins with %j",
    async (slashes) => {
      await using server = await FakeServer.start();
      await using other = await FakeServer.start();
      other.reply = () => ({ status: 200, body: SCRIPT });
      const { api } = serverOn(server).server;
      const { host } = new URL(other.url);
      const named = { script_url: `${server.url}${slashes}${host}${PATH}`, script_sha256: sha256 };
      await expect(readScript(api, named)).rejects.toThrow();
      expect(other.requests).toEqual([]);
    },
  );

  it("is shown only if it is the one that the line checks for", async () => {
    await using server = await FakeServer.start();
    server.reply = () => ({ status: 200, body: `${SCRIPT}\n` });
    const { api } = serverOn(server).server;
    const named = { script_url: server.url + PATH, script_sha256: sha256 };
    await expect(readScript(api, named)).rejects.toThrow("not the one that the line checks for");
  });

  it("that only another address has is not fetched, and the editor says where it is", async () => {
    await using server = await FakeServer.start();
    await using other = await FakeServer.start();
    other.reply = () => ({ status: 200, body: SCRIPT });
    const { api } = serverOn(server).server;
    const named = { script_url: other.url + PATH, script_sha256: sha256 };
    const { host } = new URL(other.url);
    await expect(readScript(api, named)).rejects.toThrow(`at ${host} only`);
    expect(other.requests).toEqual([]);
  });
});
