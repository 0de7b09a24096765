import { createHash } from "node:crypto";
import { pairingIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import { readScript } from "../../../extension/src/install/script.ts";
import { FakeServer } from "./fakeServer.ts";
import { serverOn } from "./serverFixture.ts";

const SCRIPT = "#!/bin/sh\necho installed\n";
const sha256 = createHash("sha256").update(SCRIPT).digest("hex");
const pairing = { id: pairingIdSchema.parse("0123456789ABCDEF") };
const PATH = `/p/${pairing.id}`;

describe("the script that a line runs", () => {
  it.each(["", "/rport", "//", "/%2e//"])(
    "S-14: is read from the server itself, whatever address with %j it names, without the token",
    async (path) => {
      await using server = await FakeServer.start();
      await using other = await FakeServer.start();
      server.reply = () => ({ status: 200, body: SCRIPT });
      const { api } = serverOn(server).server;
      const url = `${other.url}${path}${PATH}?x#y`;
      const named = { pairing, script_url: url, script_sha256: sha256 };
      expect(await readScript(api, named)).toBe(SCRIPT);
      expect(other.requests).toEqual([]);
      expect(server.requests).toMatchObject([{ url: PATH, authorization: undefined }]);
    },
  );

  it("is read below the path that the server lies at, also where hosts use another one", async () => {
    await using server = await FakeServer.start("/rport");
    server.reply = () => ({ status: 200, body: SCRIPT });
    const { api } = serverOn(server).server;
    const url = `https://hosts.example.com${PATH}`;
    const named = { pairing, script_url: url, script_sha256: sha256 };
    expect(await readScript(api, named)).toBe(SCRIPT);
    expect(server.requests).toMatchObject([{ url: `/rport${PATH}` }]);
  });

  it("is shown only if it is the one that the line checks for", async () => {
    await using server = await FakeServer.start();
    server.reply = () => ({ status: 200, body: `${SCRIPT}\n` });
    const { api } = serverOn(server).server;
    const named = { pairing, script_url: server.url + PATH, script_sha256: sha256 };
    await expect(readScript(api, named)).rejects.toThrow("not the one that the line checks for");
  });

  it("that only another address has is not fetched, and the editor says where it is", async () => {
    await using server = await FakeServer.start();
    await using other = await FakeServer.start();
    other.reply = () => ({ status: 200, body: SCRIPT });
    const { api } = serverOn(server).server;
    const named = { pairing, script_url: other.url + PATH, script_sha256: sha256 };
    const { host } = new URL(other.url);
    await expect(readScript(api, named)).rejects.toThrow(`at ${host} only`);
    expect(other.requests).toEqual([]);
  });
});
