import { CLOSE_CODES } from "@rport/protocol/errors";
import { deltaSchema } from "@rport/protocol/events";
import { describe, expect, it } from "vitest";
import type { Access } from "../../../extension/src/api/access.ts";
import { eventually } from "../../support/eventually.ts";
import { refusingPort } from "../../support/refusingPort.ts";
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

async function fakeServer(clients = [client("web")]): Promise<FakeServer> {
  const fake = await FakeServer.start();
  fake.greeting = snapshot({ clients });
  return fake;
}

describe("a server", () => {
  it("follows its event socket, and keeps what it knows while it is away", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    fake.send(delta(2, "db"));
    await eventually(() => expect(server.mirror.maps.clients.size).toBe(2));
    fake.cut();
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    expect(server.clients.withStatus("online")).toEqual(["db", "web"]);
    fake.greeting = snapshot({ clients: [client("new")] });
    clock.advance(500);
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(server.clients.withStatus("online")).toEqual(["new"]);
  });

  it("F-26 shows the state before until all of the next one has come, and survives a loss in its middle", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    fake.cut();
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    const resets: string[] = [];
    server.changed.add(({ kind }) => resets.push(kind));
    fake.greeting = snapshot({ seq: 5, clients: [client("a")], more: true });
    clock.advance(500);
    await eventually(() => expect(fake.tokens).toHaveLength(2));
    fake.send(piece({ seq: 5, clients: [client("b")], more: true }));
    await eventually(() => expect(fake.sockets).toHaveLength(1));
    fake.cut();
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    expect(server.clients.withStatus("online")).toEqual(["web"]);
    clock.advance(60_000);
    await eventually(() => expect(fake.tokens).toHaveLength(3));
    await eventually(() => expect(fake.sockets).toHaveLength(1));
    fake.send(piece({ seq: 5, clients: [client("b")] }));
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(server.clients.withStatus("online")).toEqual(["a", "b"]);
    expect(resets.filter((kind) => kind === "reset")).toHaveLength(1);
  });

  it("asks for a new snapshot when a message is missing", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake);
    const { server } = fixture;
    server.connect();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    fake.greeting = snapshot({ seq: 9, clients: [client("web"), client("missed")] });
    fake.send(delta(9, "late"));
    await eventually(() => expect(server.clients.withStatus("online")).toContain("missed"));
    expect(fake.tokens.length).toBe(2);
  });

  it("connects again by itself when the server says that it fell behind", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake);
    fixture.server.connect();
    await eventually(() => expect(fake.sockets.length).toBe(1));
    fake.sockets[0]?.close(CLOSE_CODES.resync, "too slow");
    await eventually(() => expect(fixture.server.state).toMatchObject({ reason: "too slow" }));
    fixture.clock.advance(500);
    await eventually(() => expect(fixture.server.state.kind).toBe("connected"));
  });

  it("gives a silent connection up and connects again", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake);
    const { server, clock } = fixture;
    server.connect();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    fake.sockets[0]?.pause();
    clock.advance(20_000);
    expect(server.state.kind).toBe("connected");
    clock.advance(20_000);
    expect(server.state).toMatchObject({ kind: "waiting", reason: "It stopped answering." });
  });

  it("is signed out, and stays so, when its token is refused", async () => {
    await using fake = await fakeServer();
    fake.token = "another";
    using fixture = serverOn(fake);
    fixture.server.connect();
    await eventually(() =>
      expect(fixture.server.state).toMatchObject({
        kind: "signedOut",
        refusal: expect.any(String),
      }),
    );
    expect(fixture.clock.timers).toBe(0);
  });

  it("takes the new token of a local backend that was started again", async () => {
    await using fake = await fakeServer();
    fake.token = "second";
    const tokens = ["first", "second"];
    const access = async (): Promise<Access> => ({
      kind: "ready",
      url: fake.url,
      authorization: `Bearer ${tokens.shift() ?? "none"}`,
      fingerprint: "SHA256:one",
    });
    using fixture = serverOn(fake, { isLocal: true, access });
    fixture.server.connect();
    await eventually(() => expect(fixture.server.state.kind).toBe("waiting"));
    fixture.clock.advance(500);
    await eventually(() => expect(fixture.server.state.kind).toBe("connected"));
    expect(fake.tokens).toEqual(["first", "second"]);
  });

  it("S-14: does not believe a local backend with another key than its file names", async () => {
    await using fake = await fakeServer();
    const access = async (): Promise<Access> => ({
      kind: "ready",
      url: fake.url,
      authorization: "Bearer good-token",
      fingerprint: "SHA256:other",
    });
    using fixture = serverOn(fake, { isLocal: true, access });
    fixture.server.connect();
    await eventually(() =>
      expect(fixture.server.state).toMatchObject({
        kind: "waiting",
        reason: expect.stringContaining("another server key"),
      }),
    );
    expect(fixture.server.mirror.isFilled).toBe(false);
    expect(fixture.remembered).toEqual([]);
  });

  it("remembers the key of a server that it meets for the first time", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake);
    fixture.server.connect();
    await eventually(() => expect(fixture.server.state.kind).toBe("connected"));
    expect(fixture.remembered).toEqual(["SHA256:one"]);
  });

  it("shows nothing of a server whose key has changed, until somebody accepts it", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake, { fingerprint: "SHA256:before" });
    const { server, remembered } = fixture;
    server.connect();
    await eventually(() =>
      expect(server.state).toEqual({
        kind: "changed",
        expected: "SHA256:before",
        actual: "SHA256:one",
      }),
    );
    expect(server.mirror.isFilled).toBe(false);
    expect(remembered).toEqual([]);
    server.acceptFingerprint("SHA256:one");
    await eventually(() => expect(server.state.kind).toBe("connected"));
    expect(remembered).toEqual(["SHA256:one"]);
  });

  it("forgets everything when somebody signs out", async () => {
    await using fake = await fakeServer();
    using fixture = serverOn(fake);
    const { server } = fixture;
    server.connect();
    await eventually(() => expect(server.state.kind).toBe("connected"));
    server.signOut();
    expect(server.mirror.isFilled).toBe(false);
    expect(server.clients.countOf("online")).toBe(0);
    await eventually(() => expect(fake.sockets.length).toBe(0));
  });
});

describe("the typed client", () => {
  it("sends the token in a header only, and answers what stands in data", async () => {
    await using fake = await fakeServer();
    fake.reply = () => ({
      status: 200,
      body: { data: { clients: [], disconnected: 0, pairings: 1 } },
    });
    using fixture = serverOn(fake);
    const report = await fixture.server.api.call("deleteCredential", {
      params: { authId: "a/b c" },
      query: { dry_run: "true" },
    });
    expect(report.pairings).toBe(1);
    expect(fake.requests).toEqual([
      {
        method: "DELETE",
        url: "/api/v1/clients-auth/a%2Fb%20c?dry_run=true",
        authorization: "Bearer good-token",
        body: "",
      },
    ]);
  });

  it.each([
    {
      status: 409,
      body: { errors: [{ code: "CONFLICT", title: "It exists.", detail: "" }] },
      error: { code: "CONFLICT", message: "It exists." },
    },
    {
      status: 404,
      body: "<html>",
      error: { code: "NOT_FOUND", message: "The server answered with status 404." },
    },
    {
      status: 502,
      body: "",
      error: { code: "UNAVAILABLE", message: "The server answered with status 502." },
    },
    {
      status: 200,
      body: { data: 5 },
      error: { message: "The server's answer is not what this version expects." },
    },
  ])("turns an answer with status $status into one error", async ({ status, body, error }) => {
    await using fake = await fakeServer();
    fake.reply = () => ({ status, body });
    using fixture = serverOn(fake);
    await expect(fixture.server.api.call("getStatus")).rejects.toMatchObject(error);
  });

  it("does not follow a redirect, which could carry the token away", async () => {
    await using fake = await fakeServer();
    await using thief = await fakeServer();
    using fixture = serverOn(fake);
    fake.reply = () => ({ status: 307, location: `${thief.url}/api/v1/status` });
    await expect(fixture.server.api.call("getStatus")).rejects.toMatchObject({
      name: "RportError",
    });
    expect(thief.requests).toEqual([]);
  });

  it("says in words that nobody listens", async () => {
    await using refusing = await refusingPort();
    using fixture = serverOn({ url: `http://127.0.0.1:${refusing.port}` });
    await expect(fixture.server.api.call("getStatus")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("nothing is listening there"),
    });
  });
});
