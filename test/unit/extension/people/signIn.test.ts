import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import {
  accept,
  endToken,
  freeName,
  logIn,
  meet,
  showCode,
  tokenFor,
  tryToken,
} from "../../../../extension/src/servers/signIn.ts";
import { describeError } from "../../../../extension/src/support/describeError.ts";
import { refusingPort } from "../../../support/refusingPort.ts";
import { FakeServer, type Reply, type Seen } from "../fakeServer.ts";

const FACE = { fingerprint_sha256: "SHA256:abc", sign_in: { password: true, invitation: true } };

/** A server that answers by method and path; whatever is missing is not found. */
async function serverOf(replies: Readonly<Record<string, Reply | ((seen: Seen) => Reply)>>) {
  const fake = await FakeServer.start();
  fake.reply = (seen) => {
    const reply = replies[`${seen.method} ${seen.url.replace("/api/v1", "")}`];
    return (typeof reply === "function" ? reply(seen) : reply) ?? { status: 404 };
  };
  return fake;
}

const data = (value: unknown): Reply => ({ status: 200, body: { data: value } });
const refusal = (status: number, code: string, title: string): Reply => ({
  status,
  body: { errors: [{ code, title }] },
});

/** What somebody reads when a call fails. */
async function told(call: Promise<unknown>): Promise<string> {
  return await call.then(() => "no error", describeError);
}

describe("meeting a server", () => {
  it("sends nothing secret, and learns the key", async () => {
    await using fake = await serverOf({ "GET /server": data(FACE) });
    expect(await meet({ url: fake.url, fetch })).toEqual(FACE);
    expect(fake.requests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each<[string, Reply]>([
    ["a web page", { status: 200, body: "<!doctype html><p>Welcome" }],
    ["a login of something else", { status: 401, body: "<html>Sign in" }],
    ["a page that is not there", { status: 404, body: "<html>404" }],
    ["an older server", refusal(401, "UNAUTHORIZED", "A valid token is needed.")],
    ["other data", data({ version: "1" })],
  ])("says that %s is no server that it knows", async (_, reply) => {
    await using fake = await serverOf({ "GET /server": reply });
    expect(await told(meet({ url: fake.url, fetch }))).toContain(
      "is no RPort server, or one older than this editor.",
    );
  });

  it("passes on what a server that is busy says, with how long to wait", async () => {
    await using fake = await serverOf({
      "GET /server": { ...refusal(429, "TOO_MANY_REQUESTS", "Too many tries."), retryAfter: 12 },
    });
    expect(await told(meet({ url: fake.url, fetch }))).toBe("Too many tries. Try again in 12 s.");
  });

  it("says in words what is wrong with the way there", async () => {
    await using http = await listening(createHttpServer());
    await using https = await listening(createHttpsServer(selfSigned()));
    await using refusing = await refusingPort();
    const say = (url: string) => told(meet({ url, fetch }));
    expect(await say(`https://127.0.0.1:${http.port}`)).toContain(
      "this port speaks http, not https",
    );
    expect(await say(`https://127.0.0.1:${https.port}`)).toContain(
      "its certificate is self-signed",
    );
    expect(await say(`http://127.0.0.1:${refusing.port}`)).toContain("nothing is listening there");
    expect(await say("http://no-such-name.invalid")).toMatch(/the name (is unknown|cannot be)/);
    const reverse = await say(`http://127.0.0.1:${https.port}`);
    expect(reverse).toMatch(/it may be one for https|closed without an answer|was reset/);
    for (const text of [reverse]) expect(text).not.toMatch(/[A-Z]{3,}_|E[A-Z]{5,}/);
  });
});

describe("signing in", () => {
  const door = (fake: FakeServer) => ({ url: fake.url, fetch });

  it("by a password keeps a token of this computer's own, and ends the session", async () => {
    await using fake = await serverOf({
      "POST /login": data({ token: "jwt-1", two_fa: null }),
      "GET /me/tokens": data([tokenNamed("laptop"), tokenNamed("laptop 2")]),
      "POST /me/tokens": ({ body }) =>
        data({ ...tokenNamed(JSON.parse(body).name), token: "abcdefgh_x" }),
      "DELETE /logout": { status: 204 },
    });
    const { jwt, secondFactor } = await logIn(door(fake), { username: "anna", password: "p" });
    expect(secondFactor).toBe("none");
    expect(await tokenFor(door(fake), jwt, "laptop")).toEqual({ token: "abcdefgh_x", made: true });
    const made = fake.requests.find(
      ({ method, url }) => method === "POST" && url.endsWith("tokens"),
    );
    expect(JSON.parse(made?.body ?? "")).toEqual({
      name: "laptop 3",
      scope: "read+write",
      expires_at: null,
    });
    expect(fake.requests.at(-1)).toMatchObject({ method: "DELETE", authorization: "Bearer jwt-1" });
    expect(fake.requests.map(({ url }) => url).join()).not.toContain("jwt-1");
  });

  it("shows the code of an app with what the password was answered with", async () => {
    const factor = {
      send_to: "",
      delivery_method: "totp_authenticator_app",
      totp_key_status: "exists",
    };
    await using fake = await serverOf({
      "POST /login": data({ token: "half", two_fa: factor }),
      "POST /verify-2fa": ({ authorization, body }) =>
        authorization === "Bearer half" && JSON.parse(body).token === "123456"
          ? data({ token: "whole" })
          : refusal(401, "UNAUTHORIZED", "The code is wrong, or was used."),
    });
    const { jwt, secondFactor } = await logIn(door(fake), { username: "anna", password: "p" });
    expect(secondFactor).toBe("exists");
    const shown = { jwt, username: "anna" };
    expect(await told(showCode(door(fake), { ...shown, code: "1" }))).toBe(
      "The code is wrong, or was used.",
    );
    expect(await showCode(door(fake), { ...shown, code: "123456" })).toBe("whole");
  });

  it("tells what the server says to a wrong password, a disabled user and too many tries", async () => {
    for (const title of ["The user name or the password is wrong.", "This user is disabled."]) {
      await using fake = await serverOf({ "POST /login": refusal(401, "UNAUTHORIZED", title) });
      expect(await told(logIn(door(fake), { username: "a", password: "p" }))).toBe(title);
    }
    await using fake = await serverOf({
      "POST /login": {
        ...refusal(429, "TOO_MANY_REQUESTS", "Too many wrong passwords."),
        retryAfter: 30,
      },
    });
    expect(await told(logIn(door(fake), { username: "a", password: "p" }))).toBe(
      "Too many wrong passwords. Try again in 30 s.",
    );
  });

  it("by an invitation, or a pasted token, needs nothing more", async () => {
    await using fake = await serverOf({
      "POST /invitations/accept": {
        status: 201,
        body: { data: { username: "anna", token: "abcdefgh_y", expires_at: null } },
      },
      "GET /status": refusal(401, "UNAUTHORIZED", "No such token."),
    });
    const typed = { code: "c", username: "anna" as never, password: "p", computer: " laptop " };
    expect(await accept(door(fake), typed)).toEqual({ token: "abcdefgh_y", made: true });
    expect(await told(tryToken(door(fake), "x"))).toBe("No such token.");
  });

  it("is undone on the server, too, or says why not", async () => {
    let reply: Reply = { status: 204 };
    await using fake = await serverOf({ "DELETE /me/tokens/abcdefgh": () => reply });
    const kept = { token: "abcdefgh_secret", made: true };
    expect(await endToken(door(fake), kept)).toBeUndefined();
    reply = refusal(503, "UNAVAILABLE", "The server is stopping.");
    expect(await endToken(door(fake), kept)).toBe("The server is stopping.");
    reply = refusal(401, "UNAUTHORIZED", "It was ended before.");
    expect(await endToken(door(fake), kept)).toBeUndefined();
    expect(fake.requests.map(({ url }) => url).join()).not.toContain("secret");
  });

  it("calls a token by the computer, with a number when that is taken", () => {
    expect(freeName("laptop", new Set())).toBe("laptop");
    expect(freeName("laptop", new Set(["laptop", "laptop 3"]))).toBe("laptop 2");
    expect(freeName(" ", new Set())).toBe("editor");
  });
});

function tokenNamed(name: string) {
  const at = "2030-01-01T00:00:00Z";
  return {
    prefix: "abcdefgh",
    name,
    scope: "read+write",
    created_at: at,
    expires_at: null,
    last_used_at: null,
    last_used_from: "",
    current: false,
  };
}

async function listening(server: HttpServer) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function selfSigned() {
  const pem = readFileSync(
    new URL("../../../fixtures/self-signed-localhost.pem", import.meta.url),
    "utf8",
  );
  return { key: pem, cert: pem };
}
