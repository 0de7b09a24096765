import { deltaSchema } from "@rport/protocol/events";
import { clientIdSchema } from "@rport/protocol/ids";
import { describe, expect, it, vi } from "vitest";
import type { Access } from "../../../extension/src/api/access.ts";
import { Api } from "../../../extension/src/api/http.ts";
import { Mirror } from "../../../extension/src/model/mirror.ts";
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
    await vi.waitFor(() => expect(fake.sockets).toHaveLength(1));
    const part = piece({ seq: 5, clients: clients(1_000), more: true });
    for (let sent = 0; sent < 50; sent += 1) fake.send(part);
    await vi.waitFor(() => expect(server.state.kind).toBe("waiting"), 20_000);
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

/** A server of which nobody asks the network. */
const access = async (): Promise<Access> => ({
  kind: "ready",
  url: "http://127.0.0.1:1",
  authorization: "",
});

describe("an answer without end", () => {
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
