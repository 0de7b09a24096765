import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import type { Channel } from "@rport/protocol/wire/channel";
import { RequestRefused } from "@rport/protocol/wire/wireError";
import { describe, expect, it } from "vitest";
import { connectPair, USER } from "../../support/wire/wirePair.ts";

describe("a connection between our own ends", () => {
  it("logs in and tells each end who the other is", async () => {
    await using pair = await connectPair();
    expect(await pair.server.transport.ready).toEqual({
      user: USER,
      remoteIdent: "SSH-rport-v1-client",
    });
    expect((await pair.client.transport.ready).remoteIdent).toBe("SSH-rport-v1-server");
  });

  it("answers requests in order, with payloads in success and in failure", async () => {
    await using pair = await connectPair({
      server: {
        async onRequest(name, payload) {
          if (name === "no") throw new RequestRefused(`not ${payload}`);
          await new Promise(setImmediate);
          return Buffer.from(`${name}:${payload}`);
        },
      },
    });
    const names = ["a", "no", "b", "c"];
    const replies = await Promise.all(names.map((n) => pair.client.request(n, Buffer.from("x"))));
    expect(replies.map(({ ok, payload }) => `${ok} ${payload}`)).toEqual([
      "true a:x",
      "false not x",
      "true b:x",
      "true c:x",
    ]);
  });

  it("moves data both ways over a channel", async () => {
    const accepted = Promise.withResolvers<Channel>();
    await using pair = await connectPair({
      client: { halfClose: true, onOpen: () => ({ accept: accepted.resolve }) },
      server: { halfClose: true },
    });
    const near = await pair.server.open("rport", Buffer.from("127.0.0.1:22"));
    const far = await accepted.promise;
    near.end("question");
    expect((await buffer(far)).toString()).toBe("question");
    far.end("answer");
    expect((await buffer(near)).toString()).toBe("answer");
    if (!near.closed) await once(near, "close");
    if (!far.closed) await once(far, "close");
    await expect.poll(() => pair.server.channelCount + pair.client.channelCount).toBe(0);
  });
});
