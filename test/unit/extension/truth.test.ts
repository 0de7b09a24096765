import { describe, expect, it } from "vitest";
import manifest from "../../../extension/package.json" with { type: "json" };
import { whyNotReachable } from "../../../extension/src/commands/reach.ts";
import { VIEWS } from "../../../extension/src/manifest.ts";
import { retryDelayMs } from "../../../extension/src/model/connectionState.ts";
import { isOfRevoked, outcomeText } from "../../../extension/src/model/outcome.ts";
import { staleRow } from "../../../extension/src/model/rows/staleRow.ts";
import { LocalTunnels } from "../../../extension/src/tunnels/localTunnels.ts";
import { isThisComputer } from "../../../extension/src/tunnels/thisComputer.ts";
import { ClientsSource } from "../../../extension/src/views/clients.ts";
import { rowOf } from "../../../extension/src/views/rows.ts";
import { FakeClock } from "../../support/clock.ts";
import { client, offline, refusal } from "./entities.ts";
import { fleetOf, NOW, RELAY } from "./fleetFixture.ts";
import { offersOf } from "./people/menus.ts";
import { silentLog } from "./serverFixture.ts";

const REVOKED_AT = "2030-01-01T00:00:00Z";

describe("who still tries", () => {
  it("is found whatever of the host the server looked at first", () => {
    const knocks = [
      refusal("r1", { reason: "revoked-secret", client_id: "laptop", count: 7 }),
      refusal("r2", { reason: "revoked-client", client_id: "laptop", count: 1 }),
      refusal("r3", { reason: "revoked-secret", client_id: "other", count: 2 }),
      refusal("r4", { reason: "wrong-secret", client_id: "laptop", count: 3 }),
    ];
    const outcome = {
      title: "anna-laptop was revoked",
      atMs: NOW,
      report: undefined,
      isMeant: isOfRevoked("laptop"),
      before: new Map<string, number>(),
    };
    const nameOf = (id: string | null) => (id === "laptop" ? "anna-laptop" : "");
    const text = outcomeText(outcome, { serverName: "relay", refusals: knocks, nameOf });
    expect(text).toContain("2 hosts try with it");
    expect(text).toContain("(anna-laptop)  refused 7 times");
    expect(text).not.toContain("refused 2 times");
  });

  it("is called in Refused Joins what people call it", () => {
    const { fill, rows, nodes } = fleetOf(RELAY);
    fill(RELAY, {
      clients: [offline("laptop", { name: "anna-laptop", revoked_at: REVOKED_AT })],
      refusals: [refusal("r1", { reason: "revoked-secret", client_id: "laptop", hostname: "vm" })],
    });
    const node = nodes.get({ kind: "refusal", serverKey: RELAY, refusalId: "r1" });
    expect(rowOf(node, rows).description).toContain("anna-laptop");
  });
});

describe("a machine that was shut out and is back under another id", () => {
  it("is introduced as that, in the colour of an error, with Revoke at hand and Move Record out of sight", () => {
    const { fill, rows, context } = fleetOf(RELAY);
    fill(RELAY, {
      clients: [
        client("back", { looks_like: "laptop" }),
        offline("laptop", { name: "anna-laptop", revoked_at: REVOKED_AT }),
      ],
    });
    const source = new ClientsSource(context);
    const [online] = source.roots();
    const [node] = online === undefined ? [] : source.children(online);
    const row = node === undefined ? undefined : rowOf(node, rows);
    expect(row?.description).toMatch(/^looks like the revoked anna-laptop/);
    expect(row?.icon).toEqual({ name: "warning", color: "errorForeground" });
    const offers = offersOf("client+likeRevoked+looksLike+mayAdminister+online");
    expect(offers).toContain("rport.client.revoke");
    expect(offers).not.toContain("rport.client.moveRecord");
  });
});

describe("menus", () => {
  const items = manifest.contributes.menus["view/item/context"];

  it("offer nothing that cannot work", () => {
    expect(offersOf("client+mayAdminister+offline+revoked")).not.toContain("rport.client.forget");
    const stale = offersOf("client+mayAdminister+mayTunnel+online+stale");
    expect(stale).toContain("rport.client.showDetails");
    for (const id of ["openTunnel", "revoke"]) expect(stale).not.toContain(`rport.client.${id}`);
    expect(offersOf("credential+inUse+stale")).toEqual(["rport.credential.copyId"]);
  });

  it("let nobody allow a stolen laptop again by a slip", () => {
    const inline = items.filter(({ group }) => group.startsWith("inline"));
    expect(inline.map(({ command }) => command)).not.toContain("rport.client.allow");
  });

  it("have commands for one for one row only", () => {
    const many = new Set([
      "rport.client.copyName",
      "rport.client.copyId",
      "rport.credential.copyId",
      "rport.client.copyAddress",
      "rport.client.copyLink",
      "rport.client.forget",
      "rport.client.openTerminal",
      "rport.client.pin",
      "rport.client.unpin",
      "rport.client.rename",
      "rport.client.editTags",
      "rport.tunnel.copyAddress",
      "rport.tunnel.copyLink",
      "rport.tunnel.close",
      "rport.tunnel.reopen",
      "rport.tunnel.forget",
      "rport.credential.delete",
      "rport.client.allow",
      "rport.client.revoke",
      "rport.secret.revoke",
      "rport.join.approve",
      "rport.join.deny",
    ]);
    for (const { command, when, group } of items) {
      if (group.startsWith("inline")) continue;
      expect(when.endsWith(" && !listMultiSelection"), command).toBe(!many.has(command));
    }
  });

  it("have keys that bring along the focused row of their view", () => {
    for (const { when, args } of manifest.contributes.keybindings) {
      // the others are of the whole view
      if (!when.includes("listFocus")) continue;
      const view = /focusedView == (\S+)/.exec(when)?.[1] ?? "";
      expect(Object.values<string>(VIEWS)).toContain(view);
      expect(args).toEqual([view, { $treeViewId: view, $focusedTreeItem: true }]);
    }
  });
});

describe("while a server is away", () => {
  it("its rows are dim, say so, and are marked for the menus", () => {
    const row = {
      label: "web-01",
      description: "10.0.0.5",
      icon: { name: "loading~spin", color: "charts.green" },
      context: "client+mayTunnel+online+tunnels",
      children: "none",
      spoken: "web-01, online",
    } as const;
    expect(staleRow(row)).toEqual({
      ...row,
      icon: { name: "loading", color: "disabledForeground" },
      context: "client+mayTunnel+online+stale+tunnels",
      spoken: "web-01, online, not up to date",
    });
  });

  it("says why nothing can be opened there, and lets everything be done that needs no server", () => {
    const away = {
      key: RELAY,
      name: "relay",
      state: { kind: "waiting", attempt: 1, delayMs: 500, reason: "nothing is listening there" },
    } as const;
    const fleet = { servers: [away] } as unknown as Parameters<typeof whyNotReachable>[2];
    const asked = { node: undefined, isKey: false };
    expect(whyNotReachable("openTunnel", asked, fleet)).toContain("relay is not connected");
    expect(whyNotReachable("copyClientName", asked, fleet)).toBeUndefined();
    expect(whyNotReachable("retryNow", asked, fleet)).toBeUndefined();
  });

  it("a local backend is looked for at least once a second, a remote one twice a minute", () => {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      expect(retryDelayMs(attempt, 1, 900)).toBeLessThanOrEqual(900);
      expect(retryDelayMs(attempt, 1)).toBeLessThanOrEqual(30_000);
    }
  });
});

describe("a tunnel to this very computer", () => {
  const own = { hostname: "vm", addresses: ["10.0.0.5"] };

  it("is known by name and address", () => {
    expect(isThisComputer({ hostname: "VM", ipv4: ["127.0.0.1", "10.0.0.5"], ipv6: [] }, own)).toBe(
      true,
    );
    expect(isThisComputer({ hostname: "vm", ipv4: ["10.0.0.6"], ipv6: [] }, own)).toBe(false);
    expect(isThisComputer({ hostname: "web-01", ipv4: ["10.0.0.5"], ipv6: [] }, own)).toBe(false);
  });

  it("gets another local port, and is refused when it would lead into itself or back", async () => {
    const access = async () => ({ kind: "noToken" }) as const;
    const clock = new FakeClock();
    const tunnels = new LocalTunnels({ accessTo: () => access, clock, log: silentLog });
    const request = {
      serverKey: RELAY,
      clientId: "self",
      clientName: "self",
      remote: { host: "127.0.0.1", port: 47_777 },
      localPort: undefined,
      isThisComputer: true,
    };
    try {
      const { localPort } = await tunnels.open(request);
      expect(localPort).not.toBe(47_777);
      await expect(tunnels.open({ ...request, localPort: 47_777 })).rejects.toThrow("into itself");
      const back = { ...request, remote: { host: "localhost", port: localPort } };
      await expect(tunnels.open(back)).rejects.toThrow("into itself");
    } finally {
      tunnels.dispose();
    }
  });
});
