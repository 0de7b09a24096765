import { describe, expect, it, vi } from "vitest";
import { pageHtml } from "../../../extension/src/install/html.ts";
import { NO_OPTIONS } from "../../../extension/src/install/options.ts";
import { SheetModel } from "../../../extension/src/install/sheetModel.ts";
import { parseTitle, titleOf } from "../../../extension/src/install/title.ts";
import { FakeClock } from "../../support/clock.ts";
import { client, credential, join, pairing, snapshot } from "./entities.ts";
import { FakeServer } from "./fakeServer.ts";
import { created, openSheet, PAIRING_ID } from "./installSheet.ts";

const claim = {
  client_id: "web",
  hostname: "vm",
  address: "203.0.113.9",
  at: "2030-01-01T00:01:00Z",
};

const used = { state: "used", uses_left: 0, claims: [claim] };

/** A step of the host that claimed, so many seconds after midnight. */
const step = (kind: string, second: number, more: Record<string, unknown> = {}) => ({
  kind,
  at: new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString(),
  client_id: "web",
  hostname: "vm",
  address: "203.0.113.9",
  ...more,
});

const made = { kind: "made", at: "2030-01-01T00:00:00Z" };
const claimed = step("claimed", 60);

describe("the install sheet", () => {
  it("follows its pairing from open over claimed to connected, once", async () => {
    await using fake = await FakeServer.start();
    const { arrived, hear, model } = await openSheet(fake);
    expect(model.state.line.kind).toBe("open");
    const online = client("web", { connected_at: "2030-01-01T00:01:03Z", name: "web-07" });
    expect(hear({ ...used, steps: [made, claimed] }).hosts).toMatchObject([{ stage: "claimed" }]);
    const installed = [made, claimed, step("installed", 62)];
    expect(hear({ ...used, steps: installed }).hosts).toMatchObject([{ stage: "installed" }]);
    const connected = { ...used, steps: [...installed, step("connected", 63)] };
    expect(hear(connected, online)).toMatchObject({
      line: { kind: "used" },
      hosts: [{ stage: "connected", name: "web-07", steps: [{}, {}, {}] }],
    });
    hear(connected, online);
    expect(arrived).toEqual(["web"]);
  });

  it("does without steps, which servers of before do not tell", async () => {
    await using fake = await FakeServer.start();
    const { hear } = await openSheet(fake);
    expect(hear(used).hosts).toMatchObject([{ stage: "claimed", name: "vm" }]);
    // the host was connected before it was installed again: that is not its arrival
    expect(hear(used, client("web")).hosts).toMatchObject([{ stage: "claimed" }]);
    const later = client("web", { connected_at: "2030-01-01T00:01:03Z" });
    expect(hear(used, later).hosts).toMatchObject([{ stage: "connected" }]);
  });

  it("says why a host was refused, with what helps, and blames nobody who was there before", async () => {
    await using fake = await FakeServer.start();
    const { hear, model } = await openSheet(fake);
    const text = "client is already connected: web-01 [web].";
    const steps = [
      claimed,
      step("refused", 61, { reason: "duplicate", text }),
      step("failed", 62, { reason: "connect", text: "The server refused." }),
    ];
    // the one that was there reconnects meanwhile
    const innocent = client("web", { connected_at: "2030-01-01T00:01:05Z", name: "web-01" });
    expect(hear({ ...used, steps }, innocent).hosts).toMatchObject([
      { stage: "refused", name: "vm", text, cure: "newId" },
    ]);
    const next = pairing(`${PAIRING_ID.slice(0, -1)}0`);
    fake.reply = () => ({ status: 201, body: { data: created({ pairing: next }) } });
    await model.asNewHost();
    expect(model.state).toMatchObject({ line: { kind: "open" }, hosts: [] });
    expect(model.command).toContain("--new-id");
  });

  it("says at which step an installation failed", async () => {
    await using fake = await FakeServer.start();
    const { hear } = await openSheet(fake);
    const failed = step("failed", 62, { reason: "write /usr/local/bin", text: "No space." });
    expect(hear({ ...used, steps: [claimed, failed] }).hosts).toMatchObject([
      { stage: "failed", text: "write /usr/local/bin: No space.", cure: "renew" },
    ]);
  });

  it("tells of one who waits for approval, until somebody has decided", async () => {
    await using fake = await FakeServer.start();
    const { hear, server } = await openSheet(fake);
    const waiting = join("waiting-1", { client_id: "web" });
    server.mirror.maps.joins.set(waiting.id, waiting);
    const steps = [claimed, step("waiting", 61)];
    expect(hear({ ...used, steps }).hosts).toMatchObject([{ stage: "approval", clientId: "web" }]);
    server.mirror.maps.joins.clear();
    const denied = step("refused", 70, { reason: "not-approved", text: "Not approved." });
    expect(hear({ ...used, steps: [...steps, denied] }).hosts).toMatchObject([
      { stage: "refused", text: "Not approved.", cure: "renew" },
    ]);
  });

  it("admits after two minutes that it has not heard of a host", async () => {
    await using fake = await FakeServer.start();
    const { hear, model, clock } = await openSheet(fake);
    clock.advance(60_000);
    hear({ ...used, steps: [claimed] });
    clock.advance(119_999);
    expect(model.state.hosts).toMatchObject([{ stage: "claimed" }]);
    clock.advance(1);
    expect(model.state.hosts).toMatchObject([{ stage: "silent", at: claimed.at }]);
  });

  it("calls nobody connected who is not any more", async () => {
    await using fake = await FakeServer.start();
    const { hear, server, model } = await openSheet(fake);
    const connected = { ...used, steps: [claimed, step("connected", 63)] };
    const record = { connected_at: "2030-01-01T00:01:03Z" };
    const gone = { connection_state: "disconnected", disconnected_at: "2030-01-01T00:02:00Z" };
    expect(hear(connected, client("web", record)).hosts).toMatchObject([{ stage: "connected" }]);
    expect(hear(connected, client("web", { ...record, ...gone })).hosts).toMatchObject([
      { stage: "offline", at: "2030-01-01T00:02:00Z" },
    ]);
    const revoked = { ...record, ...gone, revoked_at: "2030-01-01T00:03:00Z" };
    expect(hear(connected, client("web", revoked)).hosts).toMatchObject([{ stage: "hostRevoked" }]);
    server.mirror.maps.clients.clear();
    model.update();
    expect(model.state.hosts).toMatchObject([{ stage: "deleted" }]);
  });

  it("names a host as the user did, and those of a roll-out by themselves", async () => {
    await using fake = await FakeServer.start();
    const { hear, model } = await openSheet(fake);
    await model.change({ ...NO_OPTIONS, name: "web-07" });
    expect(hear({ ...used, steps: [claimed] }).hosts).toMatchObject([{ name: "web-07" }]);
    const other = { ...claim, client_id: "db", hostname: "vm-2" };
    const rollout = { uses: 3, uses_left: 1, claims: [claim, other] };
    const state = hear({ ...rollout, steps: [claimed, step("claimed", 61, { client_id: "db" })] });
    expect(state.hosts.map(({ name }) => name)).toEqual(["vm", "vm-2"]);
    expect(state).toMatchObject({ line: { kind: "open" }, uses: 3 });
  });

  it("tells of one who is not meant, and of who fetched the script", async () => {
    await using fake = await FakeServer.start();
    const { hear } = await openSheet(fake);
    const none = { client_id: "", hostname: "" };
    const mismatch = { reason: "identifier_mismatch", client_id: "", hostname: "db-01" };
    const steps = [
      made,
      step("script_fetched", 10, { ...none, count: 2 }),
      step("refused", 11, mismatch),
    ];
    const { news, line, hosts } = hear({ hostname: "web-01", steps });
    expect(news.map(({ text }) => text)).toEqual([
      "The script was fetched from 203.0.113.9, 2 times.",
      "db-01 (203.0.113.9) was turned away: the line is for web-01 only.",
    ]);
    expect([line.kind, hosts]).toEqual(["open", []]);
  });

  it("takes back the line when time is up, by the server's clock", async () => {
    await using fake = await FakeServer.start();
    const { model, clock } = await openSheet(fake);
    expect(model.command).toContain("sha256sum");
    clock.advance(599_999);
    expect(model.state.line.kind).toBe("open");
    clock.advance(1);
    expect(model.state.line.kind).toBe("expired");
    expect(model.command).toBeUndefined();
  });

  it("tells revoked from expired, and both from used", async () => {
    await using fake = await FakeServer.start();
    const { hear, model, server } = await openSheet(fake);
    hear({});
    server.mirror.maps.pairings.clear();
    model.update();
    expect(model.state.line.kind).toBe("revoked");
    expect(hear({ ...used, state: "expired" }).line.kind).toBe("used");
  });

  it("says that its credential was deleted", async () => {
    await using fake = await FakeServer.start();
    const { hear, server, model } = await openSheet(fake);
    server.mirror.maps.credentials.set("fleet", credential("fleet"));
    expect(hear({}).line.kind).toBe("open");
    server.mirror.maps.credentials.clear();
    model.update();
    expect(model.state.line.kind).toBe("credentialGone");
  });

  it("does not take signing out for a revocation", async () => {
    await using fake = await FakeServer.start();
    const { hear, model, server } = await openSheet(fake);
    hear({});
    server.signOut();
    model.update();
    expect(model.state.line.kind).toBe("open");
  });

  it.each([
    ["a server says that its line ends in a hundred years", "2130-01-01T00:00:00Z", 0],
    ["the computer's clock is set back by a year", "2030-01-01T00:10:00Z", -365 * 86_400_000],
  ])("looks once a minute at the most, also when %s", async (_what, expires_at, ms) => {
    await using fake = await FakeServer.start();
    const { clock, hear } = await openSheet(fake, {
      made: { pairing: pairing(PAIRING_ID, { expires_at }) },
    });
    clock.jump(ms);
    const after = vi.spyOn(clock, "after");
    hear({ expires_at });
    clock.advance(60_000 - 1);
    expect(after).toHaveBeenCalledTimes(1);
    clock.advance(1);
    expect(after).toHaveBeenCalledTimes(2);
    expect(after.mock.calls.every(([delayMs]) => delayMs <= 60_000)).toBe(true);
  });

  it.each([
    { told: {}, kind: "lost" },
    { told: used, kind: "used" },
    { told: { state: "expired" }, kind: "expired" },
    { told: undefined, kind: "over" },
  ])("finds out after a reload what became of its line: $kind", async ({ told, kind }) => {
    await using fake = await FakeServer.start();
    const { model, server } = await openSheet(fake);
    const restored = new SheetModel({
      server,
      authId: "fleet",
      clock: new FakeClock(),
      chosen: model.chosen,
      cards: () => [],
      onChange: () => undefined,
      onArrived: () => undefined,
    });
    const pairings = told === undefined ? [] : [pairing(PAIRING_ID, told)];
    server.mirror.apply(snapshot({ pairings }));
    restored.restore(PAIRING_ID);
    expect(restored.state.line.kind).toBe(kind);
    expect(restored.command).toBeUndefined();
  });

  it("revokes its unused pairing when an option changes that is part of it", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    const chosen = { ...NO_OPTIONS, name: "web", tags: ["a"], hostname: "web-01", minutes: "5" };
    await model.change(chosen);
    const [, revoked, renewed] = fake.requests;
    expect(revoked).toMatchObject({ method: "DELETE", url: `/api/v1/pairings/${PAIRING_ID}` });
    expect(JSON.parse(renewed?.body ?? "")).toEqual({
      credential_id: "fleet",
      name: "web",
      tags: ["a"],
      hostname: "web-01",
      ttl_seconds: 300,
    });
    await model.change({ ...chosen, prefix: "/home/me/rport" });
    expect(fake.requests.length).toBe(3);
    expect(model.command).toContain("--prefix /home/me/rport");
  });

  it.each(["renew", "revoke"] as const)(
    "ends a roll-out that some hosts have used, by %s, and touches none of them",
    async (how) => {
      await using fake = await FakeServer.start();
      const { hear, model } = await openSheet(fake);
      const steps = [made, claimed, step("connected", 63)];
      hear({ state: "active", uses: 3, uses_left: 2, claims: [claim], steps });
      await model[how]();
      const [, revoked, ...others] = fake.requests;
      expect(revoked).toMatchObject({ method: "DELETE", url: `/api/v1/pairings/${PAIRING_ID}` });
      expect(others).toHaveLength(how === "renew" ? 1 : 0);
      if (how === "revoke") expect(model.state).toMatchObject({ line: { kind: "revoked" } });
    },
  );

  it("does not ask for the end of a line that is used up", async () => {
    await using fake = await FakeServer.start();
    const { hear, model } = await openSheet(fake);
    hear({ ...used, steps: [made, claimed] });
    await model.renew();
    expect(fake.requests.map(({ method }) => method)).toEqual(["POST", "POST"]);
  });

  it("has no line to copy while an option is wrong, and the right one afterwards", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    await model.change({ ...NO_OPTIONS, prefix: "relative" });
    expect(model.state.problems.prefix).toContain("~/rport");
    expect(model.command).toBeUndefined();
    await model.change({ ...NO_OPTIONS, prefix: "~/rport" });
    expect(model.state.problems).toEqual({});
    expect(model.command).toMatch(/\| sh -c .* "\$d\/i" .* --prefix ~\/rport;/);
  });

  it("says why it has no line when the server refuses", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    fake.reply = () => ({
      status: 404,
      body: { errors: [{ code: "ERR_CODE_CLIENT_AUTH_NOT_FOUND", title: "It is gone." }] },
    });
    await model.renew();
    expect(model.state.line).toMatchObject({ kind: "failed", reason: "It is gone." });
  });

  it("installs a named host again at this server, where RPort's service cannot carry a name", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    const title = "RPort's pairing service cannot make a pairing for a host with a display name.";
    const detail = "This server's own pairing can.";
    fake.reply = ({ method, body }) => {
      if (method !== "POST") return { status: 204 };
      if (body.includes("embedded")) return { status: 201, body: { data: created() } };
      return { status: 400, body: { errors: [{ code: "PAIRING_UNFIT", title, detail }] } };
    };
    await model.nameHost("web-01");
    const reason = `${title} ${detail}`;
    expect(model.state.line).toMatchObject({ kind: "failed", reason, isService: true });
    await model.useThisServer();
    expect(model.state).toMatchObject({ line: { kind: "open" }, options: { name: "web-01" } });
  });

  it("says what is wrong with a pairing service, and can do without it", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    const title = "The pairing service at pair.example.com answered a web page.";
    fake.reply = ({ method, body }) => {
      if (method !== "POST") return { status: 204 };
      if (body.includes("embedded")) return { status: 201, body: { data: created() } };
      return {
        status: 502,
        body: { errors: [{ code: "PAIRING_SERVICE", title, detail: "not-json" }] },
      };
    };
    await model.renew();
    const failed = { kind: "failed", reason: title, requestId: "not-json", isService: true };
    expect(model.state.line).toEqual(failed);
    await model.useThisServer();
    expect(model.state.line.kind).toBe("open");
  });

  it("is waited for by whoever copies it, also when yet another one is asked for meanwhile", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    const before = model.command;
    const { options } = model.state;
    void model.change({ ...options, name: "web-01" });
    expect(model.command).toBeUndefined();
    const copied = model.settled().then(() => model.command);
    const token = "N".repeat(26);
    fake.reply = ({ method }) =>
      method === "DELETE" ? { status: 204 } : { status: 201, body: { data: created({ token }) } };
    void model.change({ ...options, name: "web-02" });
    expect(await copied).toContain(token);
    expect(before).not.toContain(token);
    fake.reply = () => ({ status: 503 });
    void model.renew();
    await model.settled();
    expect(model.command).toBeUndefined();
  });

  it("shows the answer to its latest request, and revokes what nobody will see", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    let count = 0;
    fake.reply = ({ method }) => {
      if (method === "DELETE") return { status: 204 };
      count += 1;
      return {
        status: 201,
        body: { data: created({ pairing: pairing(`${PAIRING_ID.slice(0, -1)}${count}`) }) },
      };
    };
    await Promise.all([model.renew(), model.renew()]);
    const shown = model.created?.pairing.id;
    const revoked = fake.requests.filter(({ method }) => method === "DELETE").map(({ url }) => url);
    const unseen = [1, 2].map((n) => `${PAIRING_ID.slice(0, -1)}${n}`).filter((id) => id !== shown);
    expect(revoked).toContain(`/api/v1/pairings/${unseen[0]}`);
    expect(revoked).not.toContain(`/api/v1/pairings/${shown}`);
    expect(model.state.line.kind).toBe("open");
  });
});

describe("an address that only the server's machine can reach", () => {
  const near = { server_url: "http://127.0.0.1:8080" };

  it("can be exchanged for another one of this computer where the server listens to all", async () => {
    await using fake = await FakeServer.start();
    const { model, server } = await openSheet(fake, { isLocal: true, made: near });
    const { server: status } = snapshot();
    server.mirror.apply(snapshot({ server: { ...status, listens_to: "all-addresses" } }));
    const url = "http://192.0.2.10:8080";
    expect(model.nearOnly?.addresses).toEqual([{ card: "eth0", url }]);
    await model.useAddress("http://192.0.2.66:8080");
    await model.useAddress(url);
    const bodies = fake.requests.filter(({ method }) => method === "POST").map(({ body }) => body);
    expect(bodies.map((body) => JSON.parse(body).server_url)).toEqual([undefined, url]);
  });

  it("is said, and no other one is offered, where the server listens there only", async () => {
    await using fake = await FakeServer.start();
    const { model, server } = await openSheet(fake, { isLocal: true, made: near });
    const { server: status } = snapshot();
    server.mirror.apply(snapshot({ server: { ...status, listens_to: "this-machine" } }));
    expect(model.nearOnly).toMatchObject({ listensTo: "this-machine", addresses: [] });
  });

  it("is no matter where hosts are sent to another one", async () => {
    await using fake = await FakeServer.start();
    const { model } = await openSheet(fake);
    expect(model.nearOnly).toBeUndefined();
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

  it("is read whatever language it was written in: the editor may speak another one after a reload", () => {
    const server = { name: "a" };
    expect(parseTitle("Client installieren - web - fleet", [server])).toEqual({
      server,
      authId: "web - fleet",
    });
  });
});

describe("the page", () => {
  it("allows one script, the style sheets of the extension, and nothing else (S-16)", () => {
    const parts = {
      scriptUri: 's"x',
      styleUris: ["t", 'u"v'],
      cspSource: "https://r",
      nonce: "n0",
    };
    const html = pageHtml(parts);
    expect(html).toContain("default-src 'none'; style-src https://r; script-src 'nonce-n0'\"");
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).toContain('src="s&quot;x"');
    expect(html).toContain('href="u&quot;v"');
    expect(html).not.toContain("unsafe");
  });
});
