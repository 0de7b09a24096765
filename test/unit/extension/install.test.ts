import type { Client } from "@rport/protocol/model";
import type { NewPairing } from "@rport/protocol/pairing/endpoints";
import { describe, expect, it } from "vitest";
import { pageHtml } from "../../../extension/src/install/html.ts";
import { SheetModel } from "../../../extension/src/install/sheetModel.ts";
import { platformsOf, whyNotOptions } from "../../../extension/src/install/snippets.ts";
import { parseTitle, titleOf } from "../../../extension/src/install/title.ts";
import { client, pairing, snapshot } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { serverOn } from "./serverFixture.ts";

const ID = "0123456789ABCDEF";
const NO_OPTIONS = { name: "", tags: [], noService: false, prefix: "" };

function created(changes: Partial<NewPairing> = {}): NewPairing {
  return {
    pairing: pairing(ID),
    token: "TOKEN23456789ABCDEFGHJKMN",
    server_url: "http://127.0.0.1:8080",
    script_url: `http://127.0.0.1:8080/p/${ID}`,
    script_sha256: "ab".repeat(32),
    commands: [],
    ...changes,
  };
}

/** A sheet on a fake server, with its first pairing. */
async function openSheet(fake: FakeServer) {
  fake.greeting = snapshot();
  fake.reply = ({ method }) =>
    method === "POST" ? { status: 201, body: { data: created() } } : { status: 204 };
  const fixture = serverOn(fake);
  const arrived: string[] = [];
  const { server, clock } = fixture;
  const model = new SheetModel({
    server,
    authId: "fleet",
    clock,
    onChange: () => undefined,
    onArrived: (clientId) => arrived.push(clientId),
  });
  await model.renew();
  const hear = (changes: Record<string, unknown>, host?: Client) => {
    const heard = pairing(ID, changes);
    server.mirror.maps.pairings.set(heard.id, heard);
    if (host !== undefined) server.mirror.maps.clients.set(host.id, host);
    model.update();
    return model.state.pairing;
  };
  return { ...fixture, model, arrived, hear };
}

const claim = {
  client_id: "web",
  hostname: "web-07",
  address: "203.0.113.9",
  at: "2030-01-01T00:01:00Z",
};

describe("the install sheet", () => {
  it("follows its pairing from waiting over claimed to connected, once", async () => {
    await using fake = await FakeServer.start();
    const { model, arrived, hear } = await openSheet(fake);
    expect(model.state.pairing.kind).toBe("waiting");
    expect(hear({}).kind).toBe("waiting");
    const used = { state: "used", claims: [claim] };
    expect(hear(used)).toMatchObject({ kind: "claimed", hostname: "web-07" });
    // the host was connected before it was installed again: that is not its arrival
    expect(hear(used, client("web")).kind).toBe("claimed");
    const later = { connected_at: "2030-01-01T00:01:03Z", name: "web-07" };
    expect(hear(used, client("web", later))).toMatchObject({ kind: "connected", name: "web-07" });
    expect(hear(used, client("web", later)).kind).toBe("connected");
    expect(arrived).toEqual(["web"]);
  });

  it("takes back the line when time is up, by the server's clock", async () => {
    await using fake = await FakeServer.start();
    const { model, clock } = await openSheet(fake);
    expect(model.command("linux", "curl")).toContain("sha256sum");
    clock.advance(599_999);
    expect(model.state.pairing.kind).toBe("waiting");
    clock.advance(1);
    expect(model.state.pairing.kind).toBe("expired");
    expect(model.command("linux", "curl")).toBeUndefined();
  });

  it("tells revoked from expired", async () => {
    await using fake = await FakeServer.start();
    const { hear, model, server } = await openSheet(fake);
    server.mirror.apply(snapshot());
    hear({});
    server.mirror.maps.pairings.clear();
    model.update();
    expect(model.state.pairing.kind).toBe("revoked");
  });

  it("does not take signing out for a revocation", async () => {
    await using fake = await FakeServer.start();
    const { hear, model, server } = await openSheet(fake);
    server.mirror.apply(snapshot());
    hear({});
    server.signOut();
    model.update();
    expect(model.state.pairing.kind).toBe("waiting");
  });

  it("revokes its unused pairing when name or tags change, since they are part of it", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    await model.choose({ ...NO_OPTIONS, name: "web", tags: ["a"] });
    const [, revoked, renewed] = fake.requests;
    expect(revoked).toMatchObject({ method: "DELETE", url: `/api/v1/pairings/${ID}` });
    expect(JSON.parse(renewed?.body ?? "")).toMatchObject({ name: "web", tags: ["a"] });
    await model.choose({ ...NO_OPTIONS, name: "web", tags: ["a"], prefix: "/home/me/rport" });
    expect(fake.requests.length).toBe(3);
    expect(model.command("linux", "curl")).toContain("--prefix /home/me/rport");
  });

  it("says why it has no line when the server refuses", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    fake.reply = () => ({
      status: 404,
      body: { errors: [{ code: "ERR_CODE_CLIENT_AUTH_NOT_FOUND", title: "It is gone." }] },
    });
    await model.renew();
    expect(model.state.pairing).toMatchObject({ kind: "failed", reason: "It is gone." });
  });

  it("shows the answer to its latest request, and revokes what nobody will see", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    let made = 0;
    fake.reply = ({ method }) => {
      if (method === "DELETE") return { status: 204 };
      made += 1;
      return {
        status: 201,
        body: { data: created({ pairing: pairing(`${ID.slice(0, -1)}${made}`) }) },
      };
    };
    await Promise.all([model.renew(), model.renew()]);
    const shown = model.created?.pairing.id;
    const revoked = fake.requests.filter(({ method }) => method === "DELETE").map(({ url }) => url);
    const unseen = [1, 2].map((n) => `${ID.slice(0, -1)}${n}`).filter((id) => id !== shown);
    expect(revoked).toContain(`/api/v1/pairings/${unseen[0]}`);
    expect(revoked).not.toContain(`/api/v1/pairings/${shown}`);
    expect(model.state.pairing.kind).toBe("waiting");
  });
});

describe("the lines to paste", () => {
  it("run as root unless they install below a folder of one's own", () => {
    const [linux] = platformsOf(created(), NO_OPTIONS);
    expect(linux?.commands.map(({ id }) => id)).toEqual(["curl", "wget"]);
    expect(linux?.commands[0]?.text).toContain("| sudo sh ");
    const own = platformsOf(created(), {
      ...NO_OPTIONS,
      noService: true,
      prefix: "/home/me/my dir",
    });
    expect(own[0]?.commands[0]?.text).toContain("--prefix '/home/me/my dir' --no-service");
    expect(own[0]?.commands[0]?.text).not.toContain("sudo");
  });

  it.each(["a\u202Eb", "a\u200Bb"])(
    "are left out when the server hides something in them (S-15)",
    (bad) => {
      const [linux] = platformsOf(created({ server_url: `http://${bad}.test` }), NO_OPTIONS);
      expect(linux?.commands).toEqual([]);
    },
  );

  it.each(["\r\nrm -rf /", "\u001B[2K"])("are refused with control characters (S-15)", (bad) => {
    const hostile = created({ server_url: `http://a.test/${bad}` });
    expect(() => platformsOf(hostile, NO_OPTIONS)).toThrow("control characters");
  });

  it.each(["a\u202Eb", "a b", "$(id)", "-n", ""])(
    "are refused with a token that is none (S-15): %j",
    (token) => {
      expect(() => platformsOf(created({ token }), NO_OPTIONS)).toThrow("letters and digits");
    },
  );

  it("take only an absolute, visible folder", () => {
    expect(whyNotOptions(NO_OPTIONS)).toBeUndefined();
    expect(whyNotOptions({ ...NO_OPTIONS, prefix: "home" })).toContain("slash");
    expect(whyNotOptions({ ...NO_OPTIONS, prefix: "/a\u202Eb" })).toContain("invisible");
  });
});

describe("the title of a tab", () => {
  const [a, b] = [{ name: "relay" }, { name: "lab" }];

  it.each([
    { servers: [a], server: a, authId: "web (1)" },
    { servers: [a, b], server: b, authId: "fleet" },
    { servers: [a, b], server: a, authId: "x (lab)" },
  ])("says after a reload which credential it is about: $authId", ({ servers, server, authId }) => {
    expect(parseTitle(titleOf(server, authId, servers), servers)).toEqual({ server, authId });
  });

  it("is of no use when its server is gone", () => {
    expect(parseTitle(titleOf(a, "fleet", [a, b]), [b, { name: "c" }])).toBeUndefined();
    expect(parseTitle("Something else", [a])).toBeUndefined();
  });
});

describe("the page", () => {
  it("allows one script, one style sheet, and nothing else (S-16)", () => {
    const parts = { scriptUri: 's"x', styleUri: "t", cspSource: "https://r", nonce: "n0" };
    const html = pageHtml(parts);
    expect(html).toContain("default-src 'none'; style-src https://r; script-src 'nonce-n0'\"");
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).toContain('src="s&quot;x"');
    expect(html).not.toContain("unsafe");
  });
});
