import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  CLIENT_PARTS,
  type ClientPart,
  partsOf,
  USUAL_PARTS,
} from "../../../../extension/src/model/rows/clientParts.ts";
import { clientRow } from "../../../../extension/src/model/rows/clientRow.ts";
import { client, offline } from "../entities.ts";
import { NOW } from "../fleetFixture.ts";

const WEB = {
  tags: ["prod", "web"],
  hostname: "web-01.lan",
  version: "1.2.3",
  client_auth_id: "fleet",
} as const;

const FACTS = {
  serverName: "",
  localTunnels: 1,
  serverTunnels: 0,
  nowMs: NOW,
  mayTerminal: true,
  mayTunnel: true,
  mayAdminister: true,
} as const;

const GONE = {
  disconnected_at: "2029-12-31T22:00:00Z",
  connection_end: { kind: "lost", text: "" },
};

function said(of: ReturnType<typeof client>, parts?: readonly ClientPart[]) {
  const { description, spoken } = clientRow({
    ...FACTS,
    client: of,
    place: "clients",
    parts,
  });
  return { description, spoken };
}

describe("what stands behind a client's name", () => {
  it("is usually what tells hosts apart, then what many have in common", () => {
    const { description } = said(client("web", WEB));
    expect(description).toBe(
      "10.0.0.5 \u00B7 prod \u00B7 web \u00B7 Debian GNU/Linux 12 \u00B7 1 tunnel",
    );
    expect(said(client("web", WEB), USUAL_PARTS)).toEqual(said(client("web", WEB)));
  });

  it("is what somebody chose, in that order, and spoken where it is unusual", () => {
    const chosen = said(client("web", WEB), ["version", "os", "hostname", "credential", "id"]);
    expect(chosen.description).toBe(
      "agent 1.2.3 \u00B7 Debian GNU/Linux 12 \u00B7 web-01.lan \u00B7 fleet \u00B7 web",
    );
    expect(chosen.spoken).toContain("agent 1.2.3, web-01.lan, fleet, web");
    expect(said(client("web", WEB), ["connected"]).description).toBe("connected 60 min ago");
    expect(said(client("web", WEB), []).description).toBe("");
  });

  it("is when it was last seen where that is asked for, in place of all but the tunnels", () => {
    const gone = offline("web", { ...WEB, ...GONE });
    const usual = said(gone).description;
    expect(usual).toMatch(/^last seen 3 h ago \u00B7 .+ \u00B7 1 tunnel$/);
    expect(said(gone, ["tunnels", "version", "lastSeen"]).description).toMatch(
      /^1 tunnel \u00B7 last seen 3 h ago \u00B7 [^\u00B7]+$/,
    );
    const [, end] = usual.split(" \u00B7 ");
    expect(said(gone, ["tags"]).description).toBe(`${end} \u00B7 prod \u00B7 web`);
    expect(said(gone, []).description).toBe(end);
  });

  it("never pushes aside what needs attention", () => {
    const revoked = offline("web", { ...GONE, revoked_at: "2029-12-31T22:00:00Z" });
    expect(said(revoked, ["address"]).description).toMatch(/^revoked \u00B7 /);
  });

  it("is read from a setting by its words alone: each once, in order, and nothing but known ones", () => {
    expect(partsOf(["os", "address", "os"])).toEqual(["os", "address"]);
    expect(partsOf([])).toEqual([]);
    expect(partsOf(["nonsense", "tags", 7, null, { os: 1 }])).toEqual(["tags"]);
    for (const none of [undefined, null, "os", 7, {}, ["nonsense"]]) {
      expect(partsOf(none), JSON.stringify(none)).toBe(USUAL_PARTS);
    }
    expect(partsOf(Array.from({ length: 100_000 }, (_, n) => `x${n}`))).toBe(USUAL_PARTS);
  });

  it("has a schema that knows the same words and the same default", () => {
    const file = new URL("../../../../extension/package.json", import.meta.url);
    const { contributes } = JSON.parse(readFileSync(file, "utf8"));
    const setting = contributes.configuration.properties["rport.clients.description"];
    expect(setting.items.enum).toEqual(CLIENT_PARTS);
    expect(setting.default).toEqual(USUAL_PARTS);
    expect(setting.items.enumDescriptions).toHaveLength(CLIENT_PARTS.length);
  });
});
