import { describe, expect, it } from "vitest";
import { linuxListeners, listeningSockets } from "../../../../agent/src/machine/linux/listeners.ts";
import { plainAddress, tidied } from "../../../../agent/src/machine/listeners.ts";
import { parseLsof } from "../../../../agent/src/machine/macos/listeners.ts";
import { parseNetstat, parseTasks } from "../../../../agent/src/machine/windows/listeners.ts";
import { HOSTILE_TEXTS } from "../../../support/hostileTexts.ts";
import { tcpServer } from "../../../support/wire/wireTunnel.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`;

describe("what Linux tells of listeners", () => {
  it("is read from the kernel's tables, without connections and what is no row", () => {
    const text = [
      HEAD,
      row("0100007F:1538", "0A", 11),
      row("00000000:0016", "0A", 12),
      row("0100007F:C350", "01", 13),
      row("0100007F:0000", "0A", 14),
      row("0100007F", "0A", 15),
      "nonsense",
    ].join("\n");
    expect(listeningSockets(text, "LE")).toEqual([
      { address: "127.0.0.1", port: 5_432, inode: "11" },
      { address: "0.0.0.0", port: 22, inode: "12" },
    ]);
  });

  it("is read in IPv6, also IPv4 inside it, and on machines of the other order of bytes", () => {
    const text = [
      row("00000000000000000000000001000000:0050", "0A", 1),
      row("0000000000000000FFFF00000100007F:1F90", "0A", 2),
      row("B80D0120000000000000000001000000:01BB", "0A", 3),
      row("00000000000000000000000000000000:0016", "0A", 4),
    ].join("\n");
    expect(listeningSockets(text, "LE").map(({ address }) => address)).toEqual([
      "::1",
      "127.0.0.1",
      "2001:db8::1",
      "::",
    ]);
    const [big] = listeningSockets(row("7F000001:0016", "0A", 1), "BE");
    expect(big).toMatchObject({ address: "127.0.0.1", port: 22 });
  });

  it.runIf(process.platform === "linux")("has this very process", async () => {
    await using listener = await tcpServer(() => {});
    const found = await linuxListeners()(AbortSignal.timeout(10_000));
    const own = found.filter(({ port }) => port === listener.port);
    expect(own).toEqual([{ port: listener.port, address: "127.0.0.1", process: "node" }]);
  });

  it("is not known where there are no such tables", async () => {
    const reading = linuxListeners("/nowhere")(AbortSignal.timeout(10_000));
    await expect(reading).rejects.toThrow("/nowhere/net cannot be read");
  });
});

describe("what macOS tells of listeners", () => {
  it("is read from the fields of lsof", () => {
    const text = [
      "p1",
      "claunchd",
      "f8",
      "tIPv6",
      "n*:22",
      "f9",
      "tIPv4",
      "n*:22",
      "p412",
      "cpostgres",
      "f7",
      "tIPv6",
      "n[::1]:5432",
      "f8",
      "tIPv4",
      "n127.0.0.1:5432",
      "n[fe80::1%en0]:80",
      "nwhatever",
      "",
    ].join("\n");
    expect(parseLsof(text)).toEqual([
      { process: "launchd", port: 22, address: "::" },
      { process: "launchd", port: 22, address: "0.0.0.0" },
      { process: "postgres", port: 5_432, address: "::1" },
      { process: "postgres", port: 5_432, address: "127.0.0.1" },
    ]);
  });
});

describe("what Windows tells of listeners", () => {
  it("is read from netstat in any language, with the programs of tasklist", () => {
    const programs = parseTasks(
      '"svchost.exe","1044","Services","0","12 K"\r\n"my, db.exe","7",""\r\nINFO: x',
    );
    const text = [
      "Aktive Verbindungen",
      "",
      "  Proto  Lokale Adresse         Remoteadresse          Status           PID",
      "  TCP    0.0.0.0:3389           0.0.0.0:0              ABHÖREN          1044",
      "  TCP    10.0.0.5:50123         203.0.113.9:443        HERGESTELLT      7",
      "  TCP    [::1]:5432             [::]:0                 ABHÖREN          7",
      "  TCP    [fe80::1%12]:139       [::]:0                 ABHÖREN          4",
      "  UDP    0.0.0.0:53             *:*                                     4",
    ].join("\r\n");
    expect(parseNetstat(text, programs)).toEqual([
      { port: 3_389, address: "0.0.0.0", process: "svchost" },
      { port: 5_432, address: "::1", process: "my, db" },
    ]);
  });
});

describe("a list of listeners", () => {
  const entry = (port: number, address: string, process = "") => ({ port, address, process });

  it("has one entry for each port and reach, by port, with the name that any has", () => {
    const found = [
      entry(8_080, "192.0.2.7", "a"),
      entry(22, "::", "sshd"),
      entry(22, "0.0.0.0"),
      entry(22, "192.0.2.7", "sshd"),
      entry(631, "::1", "cupsd"),
      entry(631, "127.0.0.1", "cupsd"),
      entry(631, "127.0.0.1", "cupsd"),
      entry(8_080, "127.0.0.1", "b"),
    ];
    expect(tidied(found)).toEqual([
      entry(22, "0.0.0.0", "sshd"),
      entry(631, "127.0.0.1", "cupsd"),
      entry(8_080, "192.0.2.7", "a"),
      entry(8_080, "127.0.0.1", "b"),
    ]);
  });

  it("shows no name that is more than 64 characters of text", () => {
    const names = [...HOSTILE_TEXTS, "x".repeat(1_000_000)].map((name) => {
      const [shown] = tidied([entry(1, "0.0.0.0", name)]);
      return shown?.process ?? "";
    });
    expect(names.filter((name) => name.length > 64)).toEqual([]);
    expect(names.filter((name) => /[\p{Cc}\u202E\u061C\u00AD\u3164\u{E0041}]/u.test(name))).toEqual(
      [],
    );
  });

  it("has no address that is none, or that counts on one interface only", () => {
    const texts = ["fe80::1%en0", "*", "", "localhost", "::1]/x", "1.2.3", "::ffff:192.0.2.7"];
    expect(texts.map(plainAddress)).toEqual([...Array(6).fill(undefined), "192.0.2.7"]);
  });
});
