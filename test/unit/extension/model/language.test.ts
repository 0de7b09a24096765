import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join as pathOf } from "node:path";
import { config } from "@vscode/l10n";
import { describe, expect, it } from "vitest";
import type { ConnectionState } from "../../../../extension/src/model/connectionState.ts";
import type { Row } from "../../../../extension/src/model/rows/row.ts";
import { ownTexts } from "../../../support/ownTexts.ts";
import { ROOT } from "../../../support/repository.ts";
import {
  client,
  credential,
  join,
  offline,
  pairing,
  refusal,
  secret,
  tunnel,
  user,
} from "../entities.ts";

const NOW = Date.parse("2030-01-01T03:00:00Z");
const AGO = "2030-01-01T02:00:00Z";
const LATER = "2030-01-01T04:00:00Z";

/** A language that says all in capitals, and dates as Germans do. */
async function speakCapitals(): Promise<void> {
  const contents: Record<string, string> = {};
  for (const file of globSync("extension/src/{model,support}/**/*.ts", { cwd: ROOT })) {
    for (const key of ownTexts(await readFile(pathOf(ROOT, file), "utf8")).keys) {
      contents[key] = key.toUpperCase();
    }
  }
  config({ contents: { ...contents, "en-GB": "de-DE" } });
}

// what is constant is looked up while modules load
await speakCapitals();
const { auditText } = await import("../../../../extension/src/model/auditText.ts");
const { blastLines, outcomeSentence } = await import("../../../../extension/src/model/blast.ts");
const { detailsText } = await import("../../../../extension/src/model/details.ts");
const { joinRate } = await import("../../../../extension/src/model/joinLimit.ts");
const { endingLines } = await import("../../../../extension/src/model/localBackendText.ts");
const { outcomeText } = await import("../../../../extension/src/model/outcome.ts");
const { dateAndTime } = await import("../../../../extension/src/model/relativeTime.ts");
const { UNKNOWN, whyNot } = await import("../../../../extension/src/model/rights.ts");
const { whyOfflineText } = await import("../../../../extension/src/model/whyOffline.ts");
const { clientRow, clientTooltip } = await import(
  "../../../../extension/src/model/rows/clientRow.ts"
);
const { credentialRow, credentialTooltip, pairingRow } = await import(
  "../../../../extension/src/model/rows/credentialRow.ts"
);
const { groupRow } = await import("../../../../extension/src/model/rows/groupRow.ts");
const { joinRow, joinTooltip } = await import("../../../../extension/src/model/rows/joinRow.ts");
const { refusalRow, refusalsRow } = await import(
  "../../../../extension/src/model/rows/refusalRow.ts"
);
const { rotationRow, rotationStateText } = await import(
  "../../../../extension/src/model/rows/rotationRow.ts"
);
const { secretRow, secretsRow } = await import("../../../../extension/src/model/rows/secretRow.ts");
const { refusalText, serverRow } = await import(
  "../../../../extension/src/model/rows/serverRow.ts"
);
const { staleRow } = await import("../../../../extension/src/model/rows/staleRow.ts");
const { localTunnelRow, serverTunnelRow } = await import(
  "../../../../extension/src/model/rows/tunnelRow.ts"
);
const { endedLines, invitationRow, userRow } = await import(
  "../../../../extension/src/model/rows/userRow.ts"
);
const { parseFilter } = await import("../../../../extension/src/model/shown/filter.ts");

const HOST = {
  os: "LINUX",
  os_full_name: "DEBIAN",
  os_kernel: "6.1",
  os_arch: "ARM64",
  client_auth_id: "FLEET",
};
const ALARMED = client("WEB-01", {
  ...HOST,
  secret: { id: "SECRET-01", origin: "initial", state: "grace" },
  looks_like: "WEB-00",
  duplicate: {
    address: "192.0.2.9",
    hostname: "WEB-02",
    same_host_key: true,
    count: 2,
    last_at: AGO,
  },
  host_key: "SHA256:AAAA",
  host_key_change: { kind: "changed", before: "SHA256:BBBB", at: AGO },
  left_out: [{ remote: "80:80", reason: "IN USE." }],
});
const GONE = offline("DB-01", {
  ...HOST,
  disconnected_at: AGO,
  revoked_at: AGO,
  connection_end: { kind: "left", text: "BYE" },
  secret: { id: "SECRET-02", origin: "typed", state: "revoked" },
});
const CREDENTIAL = credential("FLEET", {
  clients_total: 9,
  clients_connected: 1,
  secrets_active: 2,
  secrets_grace: 1,
  flooded_at: AGO,
  rotated_at: "2029-01-01T00:00:00Z",
  limits: {
    max_clients: 9,
    expires_at: LATER,
    cidrs: ["192.0.2.0/24"],
    joins_per_minute: 3,
    approval: true,
  },
});
const ROTATING = credential("FLEET", {
  rotation: { started_at: AGO, grace_ends_at: LATER, moved: 1, total: 3, stragglers: 1 },
});
const REFUSED = refusal("R1", {
  reason: "revoked-client",
  auth_id: "FLEET",
  client_id: "DB-01",
  last_at: LATER,
  count: 3,
});
const WAITING = join("JOIN-0001", {
  credential_id: "FLEET",
  client_id: "WEB-01",
  name: "WEB-01",
  hostname: "WEB-01",
  os_full_name: "DEBIAN",
  reason: "other-credential",
});
const REPORT = {
  clients: [
    { id: "WEB-01", name: "", connected: true, tunnels: 2 },
    { id: "DB-01", name: "", connected: false, tunnels: 0 },
  ],
  disconnected: 2,
  pairings: 1,
  offline: ["DB-01"],
} as unknown as Parameters<typeof blastLines>[0];
const USED = { sharing: 9, warnAfterDays: 1, nowMs: NOW, hasChildren: true };
const PLACE = {
  serverName: "",
  localTunnels: 2,
  serverTunnels: 0,
  nowMs: NOW,
  mayTerminal: true,
  mayTunnel: true,
  mayAdminister: true,
};
const TUNNEL = {
  localPort: 15432,
  remote: { host: "10.0.0.5", port: 3000 },
  connections: 2,
  failure: undefined,
  broke: { why: "CUT", atMs: Date.parse(AGO), connections: 2 },
};
const SERVER = {
  name: "RELAY",
  address: "",
  isLocal: false,
  online: 1,
  total: 2,
  administrator: true,
  account: true,
  mayAudit: true,
};
const STATES: readonly ConnectionState[] = [
  { kind: "stopped" },
  { kind: "connecting", attempt: 0 },
  { kind: "connecting", attempt: 1 },
  { kind: "connected" },
  { kind: "waiting", attempt: 1, delayMs: 1, reason: "" },
  { kind: "signedOut", refusal: undefined },
  { kind: "signedOut", refusal: "GONE" },
  { kind: "changed", expected: "A", actual: "B" },
];

/** Icons, standards, months, marks of a document, and what one pastes into a host's shell. */
const SAME_IN_ALL = /\$\(warning\)|IPv[46]|\b(?:Jan|Dez)\.|^x |^ {4}[a-z -]+(?:\d+)? *#/gm;

const said = ({ label, description, spoken }: Row) => [label, description, spoken].join("\n");
const ofEach = <T>(things: readonly T[], textOf: (thing: T) => string) =>
  things.map(textOf).join("\n");

/** What is said of whom: all that comes from outside is in capitals, too. */
const TEXTS: Readonly<Record<string, () => string>> = {
  "a host's row": () =>
    ofEach([ALARMED, GONE], (of) => said(clientRow({ ...PLACE, client: of, place: "clients" }))),
  "a host's hover": () => ofEach([ALARMED, GONE], (of) => clientTooltip(of, NOW)),
  "a host's details": () =>
    ofEach([ALARMED, GONE], (of) =>
      detailsText({ client: of, tunnels: [], serverName: "RELAY", nowMs: NOW }),
    ),
  "why a host is offline": () =>
    ofEach([undefined, CREDENTIAL], (of) =>
      whyOfflineText({
        client: GONE,
        server: { name: "RELAY", isConnected: of === undefined },
        credential: of,
        mayAdminister: true,
        refusals: [REFUSED],
        alike: [ALARMED],
        nowMs: NOW,
        aheadMs: of === undefined ? 1 : -1,
      }),
    ),
  "a credential's row": () =>
    ofEach([CREDENTIAL, ROTATING], (of) => said(credentialRow({ ...USED, credential: of }))),
  "a credential's hover": () => credentialTooltip({ ...USED, credential: CREDENTIAL }),
  "a rotation's row": () => {
    const row = rotationRow(ROTATING, NOW);
    return row === undefined ? "none" : said(row);
  },
  "where a host stands in a rotation": () =>
    ofEach([null, "pending", "offered", "stored", "straggler"] as const, (state) =>
      rotationStateText({ rotation_state: state, connection_state: "connected" }, ""),
    ),
  "a pairing's row": () =>
    ofEach(["active", "used", "expired", "revoked"], (state) =>
      said(pairingRow(pairing("PA1R1NG000000000", { state, expires_at: LATER, uses: 2 }), NOW)),
    ),
  "a secret's row": () =>
    ofEach(["active", "grace", "revoked"], (state) =>
      said(
        secretRow({
          secret: secret("SECRET-03", { state }),
          host: "",
          warnAfterDays: 1,
          nowMs: NOW,
        }),
      ),
    ),
  "the secrets' row": () => said(secretsRow(CREDENTIAL, undefined)),
  "the row of a host that waits": () => said(joinRow(WAITING, NOW)),
  "the hover of a host that waits": () => joinTooltip(WAITING, NOW),
  "what was refused": () => `${said(refusalRow(REFUSED, NOW))}\n${said(refusalsRow([REFUSED]))}`,
  "a server's row": () =>
    ofEach(
      STATES,
      (state) => `${said(serverRow({ ...SERVER, state }))}${refusalText(state) ?? ""}`,
    ),
  "a row of a server that is away": () =>
    said(staleRow(serverRow({ ...SERVER, state: { kind: "stopped" } }))),
  "the row of a tunnel": () =>
    ofEach([true, false], (isOpen) => said(localTunnelRow({ ...TUNNEL, isOpen }, "WEB-01", NOW))),
  "the row of a tunnel on the server": () =>
    said(serverTunnelRow(tunnel("WEB-01", "1"), "WEB-01", "RELAY")),
  "a group's row": () =>
    ofEach(["pinned", "status", "tag", "os", "credential", "network", "server"] as const, (by) =>
      said(
        groupRow({ group: { by, value: "" }, clients: 2, isFiltered: false, mayTerminal: true }),
      ),
    ),
  "a user's row": () =>
    ofEach([[], ["ADMINS"]], (groups) =>
      said(
        userRow({
          user: user("ANNA", { groups, disabled: true, sockets: 1 }),
          isMe: true,
          failure: undefined,
          nowMs: NOW,
        }),
      ),
    ),
  "an invitation's row": () =>
    said(
      invitationRow(
        {
          display_name: "",
          groups: [],
          created_by: "ANNA",
          expires_at: LATER,
        } as unknown as Parameters<typeof invitationRow>[0],
        NOW,
      ),
    ),
  "what ends with a user": () =>
    endedLines({
      tokens: 1,
      sessions: 2,
      sockets: 1,
      editor_connections: 2,
      pairings: 1,
      invitations: 2,
    }).join("\n"),
  "what is hit": () => [...blastLines(REPORT), outcomeSentence(REPORT)].join("\n"),
  "who still tries": () =>
    outcomeText(
      {
        title: "FLEET",
        atMs: NOW,
        report: REPORT,
        isMeant: () => true,
        before: new Map(),
      },
      { serverName: "RELAY", refusals: [REFUSED], nameOf: () => "DB-01" },
    ),
  "the audit log": () =>
    auditText({
      serverName: "RELAY",
      filter: { username: "ANNA" },
      rows: [],
      hasMore: false,
      failure: undefined,
    }),
  "what ends with a backend": () =>
    endingLines({ online: ["WEB-01"], tunnels: 2, isOurs: false }).join("\n"),
  "how many may join": () => joinRate(CREDENTIAL),
  "why one may not do something": () => whyNot(UNKNOWN, "administrator", "RELAY"),
  "what is wrong with a filter": () => {
    const parsed = parseFilter("X".repeat(501));
    return "mistake" in parsed ? parsed.mistake : "none";
  },
};

describe("the editor's language", () => {
  it.each(Object.entries(TEXTS))("is that of %s", (_, textOf) => {
    const text = textOf();
    expect(text).toMatch(/[A-Z]{3}/);
    expect(
      text
        .replaceAll(SAME_IN_ALL, "")
        .split("\n")
        .filter((line) => /[a-z]/.test(line)),
    ).toEqual([]);
  });

  it("is that of dates", () => {
    expect(dateAndTime(new Date(2030, 2, 5, 14, 2).getTime())).toBe("5. März, 14:02");
  });
});
