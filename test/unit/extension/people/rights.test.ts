import { CLOSE_CODES } from "@rport/protocol/errors";
import { describe, expect, it, vi } from "vitest";
import { whyNotAllowed } from "../../../../extension/src/commands/people/commandRights.ts";
import type { CommandName } from "../../../../extension/src/manifest.ts";
import { ClientsSource } from "../../../../extension/src/views/clients.ts";
import { contextOf, viewMessage } from "../../../../extension/src/views/context.ts";
import { rowOf } from "../../../../extension/src/views/rows.ts";
import { UsersSource } from "../../../../extension/src/views/users.ts";
import { eventually } from "../../../support/eventually.ts";
import { client, me, offline, snapshot, user } from "../entities.ts";
import { FakeServer } from "../fakeServer.ts";
import { fleetOn } from "./fleetOn.ts";
import { offersOf } from "./menus.ts";

const ADMIN = { username: "root", administrator: true };

/** What the context menus of the clients view offer to somebody, by row. */
async function offered(who: Record<string, unknown>) {
  await using fixture = await fleetOn({
    me: me(who),
    clients: [
      client("web"),
      offline("away", { revoked_at: "2030-01-01T00:00:00Z" }),
      offline("gone"),
    ],
  });
  const source = new ClientsSource(fixture);
  const nodes = source.roots().flatMap((group) => source.children(group));
  const of = (id: string) => {
    const node = nodes.find((each) => each.kind === "client" && each.clientId === id);
    if (node === undefined) throw new Error(`there is no row of ${id}`);
    return offersOf(rowOf(node, fixture.rows).context);
  };
  return { online: of("web"), away: of("away"), gone: of("gone") };
}

describe("what a user may do", () => {
  it("is what the menus of a row offer", async () => {
    const nobody = await offered({});
    expect(nobody.online).toContain("rport.client.showDetails");
    for (const id of ["openTunnel", "revoke", "installAgain", "moveRecord"]) {
      expect(nobody.online).not.toContain(`rport.client.${id}`);
    }
    expect(nobody.away).not.toContain("rport.client.allow");
    expect(nobody.gone).not.toContain("rport.client.forget");
    const tunnels = await offered({ effective_user_permissions: { tunnels: true } });
    expect(tunnels.online).toContain("rport.client.openTunnel");
    expect(tunnels.online).not.toContain("rport.client.revoke");
    expect(tunnels.gone).not.toContain("rport.client.forget");
    const admin = await offered(ADMIN);
    expect(admin.online).toEqual(
      expect.arrayContaining(["rport.client.openTunnel", "rport.client.revoke"]),
    );
    expect(admin.away).toContain("rport.client.allow");
    expect(admin.gone).toContain("rport.client.forget");
  });

  it.each<[CommandName, string]>([
    ["openTunnel", 'none of your groups has the permission "tunnels"'],
    ["openTerminal", 'none of your groups has the permission "terminal"'],
    ["rotateCredential", "it is for its administrators"],
    ["installClient", "it is for its administrators"],
    ["forgetClient", "it is for its administrators"],
    ["inviteUser", "it is for its administrators"],
    ["showAudit", 'none of your groups has the permission "auditlog"'],
  ])("is said where the palette still offers it: %s", async (name, why) => {
    await using fixture = await fleetOn({ me: me() });
    const input = { node: undefined };
    expect(whyNotAllowed(name, input, fixture.fleet)).toContain(`You (anna) may not do this`);
    expect(whyNotAllowed(name, input, fixture.fleet)).toContain(why);
    expect(whyNotAllowed("showDetails", input, fixture.fleet)).toBeUndefined();
  });

  it("decides what the views say, before anything is shown", async () => {
    await using user = await fleetOn({ me: me() });
    expect(contextOf(user.fleet)).toMatchObject({
      administrator: false,
      notAdministrator: true,
      managesUsers: false,
      hasAccount: true,
    });
    await using admin = await fleetOn({ me: me(ADMIN) });
    expect(contextOf(admin.fleet)).toMatchObject({
      administrator: true,
      notAdministrator: false,
      managesUsers: true,
      mayTunnel: true,
    });
  });

  it("is everything on a server that has no users, which has no view of them either", async () => {
    await using fixture = await fleetOn({ me: undefined });
    expect(contextOf(fixture.fleet)).toMatchObject({
      administrator: true,
      managesUsers: false,
      hasAccount: false,
    });
    expect(whyNotAllowed("rotateCredential", { node: undefined }, fixture.fleet)).toBeUndefined();
  });

  it("is asked again whenever the server has the editor connect again", async () => {
    await using fixture = await fleetOn({ me: me() });
    const { fake, server, clock } = fixture;
    expect(server.may("tunnels")).toBe(false);
    fixture.setMe(me({ effective_user_permissions: { tunnels: true } }));
    fake.sockets[0]?.close(CLOSE_CODES.resync, "Your rights have changed.");
    await eventually(() => expect(server.state.kind).toBe("waiting"));
    clock.advance(1_000);
    await eventually(() => expect(server.may("tunnels")).toBe(true));
  });
});

describe("a sign-in that the server accepts no more", () => {
  it("takes all that it had opened from the window, and is told with the server's reason", async () => {
    await using fixture = await fleetOn({ me: me(), clients: [client("web")] });
    const { fake, server, fleet } = fixture;
    const closed: string[] = [];
    vi.spyOn(fleet.tunnels, "closeOf").mockImplementation((key) => closed.push(key));
    fake.sockets[0]?.close(CLOSE_CODES.unauthorized, "this user was disabled");
    await eventually(() => expect(server.state.kind).toBe("signedOut"));
    expect(viewMessage(fleet)).toBe(
      `${server.name}: The server does not accept this sign-in any more. This user was disabled.`,
    );
    expect(closed).toContain(server.key);
    // the message says why, and the row has Sign In Again
    expect(new ClientsSource(fixture).roots()).toMatchObject([{ kind: "server" }]);
    expect(contextOf(fleet)).toMatchObject({ refused: true, signedOut: true, hasAccount: false });
  });

  it("is that also when only the question who one is says so", async () => {
    await using fake = await FakeServer.start();
    fake.greeting = snapshot({ clients: [client("web")] });
    fake.reply = () => ({
      status: 401,
      body: { errors: [{ code: "UNAUTHORIZED", title: "This token was ended." }] },
    });
    await using fixture = await fleetOn({ fake });
    await eventually(() =>
      expect(fixture.server.state).toEqual({ kind: "signedOut", refusal: "This token was ended." }),
    );
  });
});

it("says the sentence that the server has for it rather than the word it closed with", async () => {
  await using fixture = await fleetOn({ me: me() });
  const { fake, server } = fixture;
  fake.reply = () => ({
    status: 401,
    body: { errors: [{ code: "UNAUTHORIZED", title: "The user is disabled." }] },
  });
  fake.sockets[0]?.close(CLOSE_CODES.unauthorized, "token revoked");
  await eventually(() => expect(server.state.kind).toBe("signedOut"));
  expect(server.state).toMatchObject({ refusal: "The user is disabled." });
});

describe("the users view", () => {
  it("shows administrators who there is, with what needs attention first", async () => {
    const users = [
      user("root", { groups: ["Administrators"], sockets: 2 }),
      user("zoe", { display_name: "Zoe Z", tokens: 0, last_sign_in_at: null }),
      user("bob", { disabled: true, tokens: 0 }),
    ];
    await using fixture = await fleetOn({ me: me(ADMIN), users });
    expect(fixture.text(new UsersSource(fixture))).toEqual([
      "bob | disabled \u00B7 operators \u00B7 signed in 60 min ago",
      "root | you \u00B7 Administrators \u00B7 connected \u00B7 signed in 60 min ago",
      "Zoe Z | zoe \u00B7 operators \u00B7 never signed in",
      "Open invitations | ",
    ]);
    const [bob, root] = new UsersSource(fixture).roots();
    const menu = (node: typeof bob) =>
      node === undefined ? [] : offersOf(rowOf(node, fixture.rows).context);
    expect(menu(bob)).toContain("rport.user.enable");
    expect(menu(bob)).not.toContain("rport.user.disable");
    expect(menu(root)).toContain("rport.user.disable");
    expect(menu(root)).not.toContain("rport.user.resetSecondFactor");
  });

  it("is empty for everybody else", async () => {
    await using fixture = await fleetOn({ me: me(), users: [] });
    expect(fixture.text(new UsersSource(fixture))).toEqual([]);
  });

  it("fetches sessions and tokens when somebody opens a user", async () => {
    await using fixture = await fleetOn({ me: me(ADMIN), users: [user("root")] });
    const source = new UsersSource(fixture);
    const [root] = source.roots();
    if (root === undefined) throw new Error("no user");
    await source.load(root);
    expect(source.children(root).map((node) => rowOf(node, fixture.rows).label)).toEqual([
      "laptop",
      "Session from 192.0.2.1",
    ]);
  });
});
