import { describe, expect, it } from "vitest";
import { commandLine } from "../../../../extension/src/model/tunnels/commandLine.ts";
import {
  isBadRequest,
  isPostgresAnswer,
  kindOf,
  questionFor,
  serviceName,
  webScheme,
} from "../../../../extension/src/model/tunnels/greeting.ts";
import { HOSTILE_TEXTS } from "../../../support/hostileTexts.ts";

describe("the first bytes of a service", () => {
  it.each([
    ["SSH-2.0-OpenSSH_9.2p1\r\n", "ssh"],
    ["RFB 003.008\n", "vnc"],
    ["HTTP/1.1 200 OK\r\n", "http"],
    ["\x15\x03\x03\x00\x02\x02\x46", "tls"],
    ["\x16\x03\x03\x00\x7a", "tls"],
    ["\x4a\x00\x00\x00\x0a8.0.36\x00", "mysql"],
    ["220 mail.example ESMTP\r\n", "other"],
    ["\x00", "other"],
    ["", undefined],
  ])("tell what it is: %j", (text, kind) => {
    expect(kindOf(Buffer.from(text, "latin1"))).toBe(kind);
  });

  it("of PostgreSQL are one letter, and of a web server that wants TLS 400", () => {
    expect(["S", "N", "E", "SN", ""].map((text) => isPostgresAnswer(Buffer.from(text)))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(isBadRequest(Buffer.from("HTTP/1.1 400 Bad Request\r\n"))).toBe(true);
    expect(isBadRequest(Buffer.from("HTTP/1.1 404 Not Found\r\n"))).toBe(false);
  });
});

describe("a silent service", () => {
  it.each([
    ["http", [80, 3_000, 8_080, 1_337, 45_000]],
    ["https", [443, 8_443]],
    ["postgres", [5_432]],
    ["nothing", [9_100, 502, 102, 515, 3_389, 5_901, 6_379, 27_017, 44_818, 20_000, 23]],
  ])("is asked %s, by its port", (question, ports) => {
    expect(ports.filter((port) => questionFor(port) !== question)).toEqual([]);
  });
});

describe("what a tunnel leads to", () => {
  it("is called by its port, unless it was found to be something else", () => {
    expect(serviceName(9_090, "http")).toBe(serviceName(9_090, undefined));
    expect(serviceName(8_080, "ssh")).toBe("SSH");
    expect(serviceName(8_080, "other")).toBe("");
    expect(serviceName(2_022, "ssh")).toBe("SSH");
    expect(serviceName(2_022, undefined)).toBe("");
  });

  it("is shown by a browser only when it speaks HTTP, or may", () => {
    expect(webScheme(8_080, undefined)).toBe("http");
    expect(webScheme(8_080, "https")).toBe("https");
    expect(webScheme(8_080, "ssh")).toBeUndefined();
    expect(webScheme(1_234, "http")).toBe("http");
    expect(webScheme(1_234, undefined)).toBeUndefined();
  });
});

describe("the line for a terminal", () => {
  const facts = { localPort: 15_000, remotePort: 1_234, clientId: "web-01", kind: undefined };

  it.each([
    [{ kind: "ssh" }, "ssh -p 15000 -o HostKeyAlias=rport-web-01 127.0.0.1"],
    [
      { kind: "ssh", user: "deploy" },
      "ssh -p 15000 -o HostKeyAlias=rport-web-01 -l deploy 127.0.0.1",
    ],
    [{ kind: "ssh", user: "a$b" }, "ssh -p 15000 -o HostKeyAlias=rport-web-01 127.0.0.1"],
    [{ remotePort: 22 }, "ssh -p 15000 -o HostKeyAlias=rport-web-01 127.0.0.1"],
    [{ kind: "postgres" }, "psql -h 127.0.0.1 -p 15000"],
    [{ kind: "mysql" }, "mysql -h 127.0.0.1 -P 15000"],
    [{ remotePort: 6_379 }, "redis-cli -h 127.0.0.1 -p 15000"],
    [{ remotePort: 27_017 }, "mongosh mongodb://127.0.0.1:15000/"],
    [{ kind: "http" }, "curl http://127.0.0.1:15000/"],
    [{ remotePort: 443 }, "curl --insecure https://127.0.0.1:15000/"],
    [{ remotePort: 22, kind: "other" }, undefined],
    [{}, undefined],
  ] as const)("is %j: %s", (parts, line) => {
    expect(commandLine({ ...facts, ...parts })).toBe(line);
  });

  it.each(["$(id)", "`id`", "a b", "a;b", "-o", "x'y", "\u202E", "%PATH%", ...HOSTILE_TEXTS])(
    "holds nothing that a shell could run, whatever a client is called: %j",
    (clientId) => {
      const line = commandLine({ ...facts, clientId, kind: "ssh" }) ?? "";
      expect(line).toMatch(/^ssh -p 15000( -o HostKeyAlias=rport-[A-Za-z0-9._-]+)? 127\.0\.0\.1$/);
    },
  );
});
