import { describe, expect, it } from "vitest";
import { createLog } from "../../../extension/src/support/log.ts";
import { Redactor } from "../../../extension/src/support/redact.ts";
import { Anonymizer } from "../../../extension/src/support/report/anonymizer.ts";
import { problemText } from "../../../extension/src/support/report/problemText.ts";
import { RecentLines } from "../../../extension/src/support/report/recentLines.ts";
import { Canaries } from "../../support/canaries.ts";
import { FakeClock } from "../../support/clock.ts";
import { NOW } from "./fleetFixture.ts";

const SECRETS = {
  told: "short-pw",
  named: "hunter2-hunter2",
  token: "c0ffee-4d2f9A_xyz.not-a-word-0123456789",
  pairing: "0123456789ABCDEFGHJKMNPQRS",
  letters: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ",
  jwt: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm5hIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
  hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  fingerprint: "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
};
const WHOSE = {
  server: "Mutter Relay",
  client: "web-prod-07",
  dotted: "db.(prod)+1",
  clientId: "6fa459ea-ee8a-3ca4-894e-db77e160355e",
  credential: "fleet:west",
  host: "relay.kunde.example",
  elsewhere: "pairing.kunde.example",
  ipv4: "203.0.113.77",
  ipv6: "2001:db8:0:7::1f",
  mail: "anna.b@kunde.example",
  home: "/home/annab77",
};

const redactor = new Redactor();
redactor.add(SECRETS.told);

const anonymizer = () =>
  new Anonymizer({
    server: [WHOSE.server, "", "a"],
    client: [WHOSE.client, WHOSE.dotted, WHOSE.clientId, "web"],
    credential: [WHOSE.credential],
    address: [WHOSE.host],
    home: [WHOSE.home],
    user: ["annab77"],
  });

const LINES = [
  `told ${SECRETS.told} in the middle`,
  `password=${SECRETS.named} token: "${SECRETS.token}"`,
  `{"x":"${SECRETS.token}"} ${SECRETS.letters},${SECRETS.jwt};`,
  `curl -fsSL 'https://${WHOSE.elsewhere}/p/4711?os=linux' | sh -s -- ${SECRETS.pairing}`,
  `echo ${SECRETS.pairing} | sudo sh rport-installer.sh --server=https://me:${SECRETS.named}@${WHOSE.host}:8443/x`,
  `getaddrinfo ENOTFOUND ${WHOSE.host} at ${WHOSE.ipv4}:8443 [${WHOSE.ipv6}]:443 ${WHOSE.ipv6}`,
  `${WHOSE.server}: ${WHOSE.client}, ${WHOSE.dotted} ${WHOSE.dotted.toUpperCase()} (${WHOSE.clientId}) of ${WHOSE.credential}`,
  `${WHOSE.home}/.vscode by annab77 <${WHOSE.mail}> ${SECRETS.hash} ${SECRETS.fingerprint}`,
];

describe("a report on a problem", () => {
  it("has no secret in it, and no name or address of anybody's", () => {
    const canaries = new Canaries();
    for (const [name, value] of Object.entries({ ...SECRETS, ...WHOSE })) canaries.add(name, value);
    const one = anonymizer();
    const facts = Object.fromEntries(LINES.map((line, at) => [`fact${at}`, line]));
    const problem = { computer: facts, settings: facts, servers: [facts, facts], lines: LINES };
    const text = problemText(problem, (line) => one.clean(redactor.clean(line)));
    expect(canaries.in(text)).toEqual([]);
    expect(text).not.toMatch(/kunde|annab/);
    // without being cleaned it has them all
    expect(canaries.in(LINES.join("\n"))).toHaveLength(canaries.count);
  });

  it("still says what belongs together, and what tells nobody whose it is", () => {
    const one = anonymizer();
    expect(one.clean("https://a.example:8443/x?y=z to 192.0.2.1:22, then a.example:8443")).toBe(
      "https://[address 1]:8443 to [address 2]:22, then a.example:8443",
    );
    expect(one.clean("WEB-PROD-07 and web, not website; ws://A.example/")).toBe(
      "[client 1] and [client 2], not website; ws://[address 1]",
    );
    const plain = [
      '2026-11-30T17:12:40.659Z info connection server="x" state="waiting" attempt=3',
      "http://127.0.0.1:38865 http://localhost:1 ws://[::1]:8 0.0.0.0 ::1",
      "extension: 0.1.0 editor: Code 1.105.0 linux 6.8.0-48-generic x64 node: 24.21.0",
      "The certificate is self-signed. Zertifikat: ungültig ⚙ $1 $& [client 9] \\d",
    ];
    for (const line of plain) expect(one.clean(line)).toBe(line);
  });

  it("is fooled by no name, and takes nothing of its own for one", () => {
    const one = new Anonymizer({
      client: ["client", "address", "redacted", "$&x", "(a+)+$"],
      user: ["111"],
    });
    expect(one.clean("client $&x (a+)+$ at 192.0.2.1 111 \u{E000}\u{E010}\u{E001}")).toBe(
      "[client 1] [client 3] [client 2] at [address 1] [user 1] ???",
    );
    expect(one.clean("a".repeat(2_000))).toBe("[redacted]");
    expect(one.clean(`${":".repeat(2_000)} ${"@".repeat(2_000)} ${"1.".repeat(2_000)}`)).toContain(
      " ",
    );
  });

  it("keeps what it quotes in its block", () => {
    const text = problemText(
      {
        computer: { a: undefined, b: false },
        settings: {},
        servers: [],
        lines: ["```", " ~~~~ x", "a\n# b"],
      },
      (line) => line,
    );
    expect(text).toContain("\nb: false\n");
    expect(text).not.toContain("undefined");
    expect(text.match(/^\s*(```|~~~)/gm)).toHaveLength(6);
    expect(text).toContain("\na # b\n");
    expect(text).toContain("Nothing of this has left your computer.");
  });
});

describe("the latest lines of the log", () => {
  const told: string[] = [];
  const sink = {
    debug: () => {},
    info: (line: string) => told.push(line),
    warn: () => {},
    error: () => {},
  };

  it("are without secrets, and those about connections are not pushed out by others", () => {
    const recent = new RecentLines(new FakeClock(NOW));
    const log = createLog(recent.before(sink), redactor);
    log.info("connection", { server: "relay", state: "waiting", reason: SECRETS.told });
    for (let n = 0; n < 1_000; n += 1) log.info(`line ${n} ${"x".repeat(1_000)}`);
    expect(told).toHaveLength(1_001);
    const lines = recent.all;
    expect(lines).toHaveLength(121);
    expect(lines[0]).toBe(
      '2030-01-01T01:00:00.000Z info connection server="relay" state="waiting" reason="[redacted]"',
    );
    expect(lines[1]).toContain(" info line 880 x");
    expect(lines.at(-1)).toContain("line 999");
    expect(lines.join("").length).toBeLessThan(80_000);
    log.info("connection", { server: 'Old "Relay"\\', state: "stopped" });
    expect(recent.servers).toEqual(["relay", 'Old "Relay"\\']);
    const cleaned = new Anonymizer({ server: recent.servers }).clean(recent.all.join("\n"));
    expect(cleaned).not.toMatch(/relay/i);
    for (let n = 0; n < 100; n += 1) log.warn("connection", { attempt: n });
    expect(recent.all).toHaveLength(160);
    expect(recent.all.at(-1)).toContain("warn connection attempt=99");
  });
});
