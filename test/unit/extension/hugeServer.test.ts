import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { deltaSchema, EVENT_MESSAGE_MAX_BYTES } from "@rport/protocol/events";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it } from "vitest";
import type { Access } from "../../../extension/src/api/access.ts";
import { Api } from "../../../extension/src/api/http.ts";
import { openSocket, type SocketEnd } from "../../../extension/src/api/webSocket.ts";
import { Mirror } from "../../../extension/src/model/mirror.ts";
import { eventually } from "../../support/eventually.ts";
import { within } from "../../support/within.ts";
import { client, piece, snapshot } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { serverOn } from "./serverFixture.ts";

const delta = (seq: number, id: string) =>
  deltaSchema.parse({
    type: "delta",
    seq,
    at: "2030-01-01T00:00:01Z",
    changes: [{ entity: "client", id, value: client(id) }],
  });

/** So many clients, by other ids. */
const clients = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...client("x"),
    id: clientIdSchema.parse(`${index}`),
  }));

describe("a server that tells of ever more", () => {
  it("is left, with a sentence, in the middle of its snapshot", async () => {
    await using fake = await FakeServer.start();
    fake.greeting = snapshot({ seq: 5, clients: clients(1_000), more: true });
    using fixture = serverOn(fake);
    const { server } = fixture;
    server.connect();
    await eventually(() => expect(fake.sockets).toHaveLength(1));
    const part = piece({ seq: 5, clients: clients(1_000), more: true });
    for (let sent = 0; sent < 50; sent += 1) fake.send(part);
    await eventually(() => expect(server.state.kind).toBe("waiting"), 20_000);
    expect(server.state).toMatchObject({ reason: expect.stringContaining("50,000 clients") });
    expect(server.mirror.maps.clients.size).toBe(0);
  }, 30_000);

  it("is left, too, when it does so change by change", () => {
    const mirror = new Mirror();
    mirror.apply(snapshot({ clients: clients(50_000) }));
    expect(mirror.apply(delta(2, "0")).kind).toBe("changed");
    expect(mirror.apply(delta(3, "one more"))).toMatchObject({ kind: "flood" });
  }, 30_000);
});

/** As many of these as a message may have. */
const fill = (begin: string, item: string, bytes: number) =>
  `${begin}${Array(Math.floor((bytes - 200) / (item.length + 1)))
    .fill(item)
    .join(",")}`;

describe("a server that sends a million things that are none", () => {
  it.each([
    ["a piece", '{"type":"piece","seq":1,"more":false,"clients":['],
    ["a change", '{"type":"delta","seq":1,"at":"2030-01-01T00:00:01Z","changes":['],
  ])(
    "is left at the first of them, in %s",
    async (_, begin) => {
      await using fake = await FakeServer.start();
      fake.greeting = `${fill(begin, "{}", EVENT_MESSAGE_MAX_BYTES)}]}`;
      using fixture = serverOn(fake);
      fixture.server.connect();
      await eventually(() => expect(fixture.server.state.kind).toBe("waiting"), 20_000);
      expect(fixture.server.state).toMatchObject({
        reason: expect.stringContaining("does not understand"),
      });
    },
    30_000,
  );
});

/** A client with so many labels of 960 characters. */
const labelled = (id: string, labels: number) =>
  client(id, {
    labels: Object.fromEntries(
      Array.from({ length: labels }, (_, n) => [`${id}-${n}`, "v".repeat(960)]),
    ),
  });

describe("S-47: a server that tells of few things without end", () => {
  const reason = expect.stringContaining("320 MiB");

  it("is left when its snapshot goes on with nothing in it, and leaves no such parts in memory", () => {
    const mirror = new Mirror();
    mirror.apply(snapshot({ clients: [client("old")] }));
    mirror.apply(snapshot({ seq: 5, more: true }));
    const part = piece({ seq: 5, more: true });
    let parts = 0;
    let applied = mirror.apply(part);
    for (; applied.kind === "partial" && parts < 200_000; parts += 1) applied = mirror.apply(part);
    expect(applied).toMatchObject({ kind: "flood", reason });
    expect([...mirror.maps.clients.keys()]).toEqual(["old"]);
  }, 30_000);

  it("is left when its clients are large, in a snapshot and change by change", () => {
    // 12 MiB each, of which one text is made for all: what is counted is not what the test needs
    const fat = labelled("fat", 12_000);
    const arriving = new Mirror();
    arriving.apply(snapshot({ seq: 5, more: true }));
    const part = piece({ seq: 5, clients: [fat], more: true });
    const kinds = Array.from({ length: 30 }, () => arriving.apply(part).kind);
    expect(kinds.indexOf("flood")).toBeGreaterThan(20);

    const mirror = new Mirror();
    mirror.apply(snapshot());
    const change = (seq: number, id: string) => {
      const changes = [{ entity: "client" as const, id: clientIdSchema.parse(id), value: fat }];
      return mirror.apply({ type: "delta", seq, at: "2030-01-01T00:00:01Z", changes });
    };
    // the same one again and again takes no more than once
    for (let seq = 2; seq < 32; seq += 1) expect(change(seq, "fat").kind).toBe("changed");
    const last = Array.from({ length: 30 }, (_, n) => change(32 + n, `fat-${n}`));
    expect(last.find(({ kind }) => kind !== "changed")).toMatchObject({ kind: "flood", reason });
  }, 30_000);

  it("is not taken for one that has all that its limits allow", () => {
    const mirror = new Mirror();
    mirror.apply(snapshot({ seq: 5, more: true }));
    // 20,000 hosts with 12 KiB each, of 256 MiB that a server keeps of all
    const host = labelled("host", 12);
    for (let n = 0; n < 200; n += 1) {
      const part = piece({ seq: 5, clients: Array(100).fill(host), more: n < 199 });
      expect(mirror.apply(part).kind).toBe(n < 199 ? "partial" : "reset");
    }
  }, 30_000);
});

/** A server of which nobody asks the network. */
const access = async (): Promise<Access> => ({
  kind: "ready",
  url: "http://127.0.0.1:1",
  authorization: "",
});

describe("an answer without end", () => {
  it("S-47: is given up where what comes before the answer to an upgrade has no end", async () => {
    let sent = 0;
    const hints = Buffer.from("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(1_000));
    const server = createServer((socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(hints)) sent += hints.length;
      };
      socket
        .on("error", () => {})
        .on("drain", more)
        .once("data", more);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const to = { kind: "ready", url: `http://127.0.0.1:${port}`, authorization: "" } as const;
    const ended = Promise.withResolvers<SocketEnd>();
    openSocket({ access: to, path: "/x", maxMessageBytes: 1_000 }, ended.resolve);
    const end = await within("an end", ended.promise);
    expect(end).toMatchObject({ kind: "failed", error: { code: "UNAVAILABLE" } });
    expect(sent).toBeLessThan(16 << 20);
    server.close();
  });

  it("reads no more of an answer than it may have", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(1 << 20));
      },
    });
    const api = new Api({ access, fetch: async () => new Response(endless) });
    await expect(api.text("/p/x", 3 << 20)).rejects.toMatchObject({ code: "TOO_LARGE" });
    expect(sent).toBeLessThan(10);
  });

  it.each([200, 500])("gives up an answer with status %i that never ends", async (status) => {
    const part = new Uint8Array(8 << 20);
    const endless = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(part) });
    const api = new Api({ access, fetch: async () => new Response(endless, { status }) });
    await expect(api.call("getServerFace")).rejects.toMatchObject({ code: "TOO_LARGE" });
  });
});
