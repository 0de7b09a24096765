import type { AuditRow } from "@rport/protocol/audit";
import { describe, expect, it } from "vitest";
import { auditQuery, auditText } from "../../../extension/src/model/auditText.ts";

function row(changes: Partial<AuditRow> = {}): AuditRow {
  return {
    timestamp: "2030-01-01T00:00:00.000Z",
    username: "admin",
    remote_ip: "127.0.0.1",
    application: "client.auth",
    action: "rotate",
    affected_id: "fleet",
    client_id: "",
    client_hostname: "",
    request: '{"grace_seconds":0}',
    response: "{}",
    seq: 7,
    ...changes,
  };
}

const FACTS = { serverName: "relay", filter: {}, hasMore: false, failure: undefined };

describe("the text of the audit log", () => {
  it("has a line for each entry in columns, with its facts below", () => {
    const agent = { username: "", client_id: "m-1", client_hostname: "web-01", request: "{}" };
    const failed = { application: "client", action: "failed", response: '{"reason":"busy"}' };
    const rows = [row(), row({ ...agent, ...failed })];
    expect(auditText({ ...FACTS, rows, filter: { action: "rotate" } })).toBe(
      [
        "# Audit log of relay, newest first",
        "# Filter: Action: rotate",
        "",
        "# Time (UTC)         Who    From       What                About",
        "2030-01-01 00:00:00  admin  127.0.0.1  client.auth rotate  fleet",
        "    asked   grace_seconds: 0",
        "2030-01-01 00:00:00  -      127.0.0.1  client failed       fleet",
        "    client  web-01 (m-1)",
        "    result  reason: busy",
        "",
        "# 2 entries, that is all.",
        "",
      ].join("\n"),
    );
  });

  it("C-07: lets no value from a host pass for an entry of its own, or fool an eye", () => {
    const forged = "web\n2031-01-01T00:00:00Z  client.auth  delete\u2028x\u202Egnp.exe";
    const text = auditText({ ...FACTS, rows: [row({ client_hostname: forged })] });
    expect(text.split(/\n|\u2028/).filter((line) => line.startsWith("2031"))).toEqual([]);
    expect(text).toContain("\\u{202E}gnp.exe");
    expect(text).not.toContain("\u202E");
  });

  it("says when it could not be read, when there is nothing, and when there is more", () => {
    const text = (changes: object) => auditText({ ...FACTS, rows: [], ...changes });
    expect(text({ failure: "The server is away." })).toContain("# The server is away.");
    expect(text({})).toContain("# Nothing was recorded.");
    expect(text({ rows: [row()], hasMore: true })).toContain("# 1 entry shown, there are more.");
  });
});

describe("the query of the audit log", () => {
  it("narrows by what was chosen, and pages", () => {
    const filter = { username: "admin", client_id: "m-1", since: "2030-01-01T00:00:00Z" };
    expect(auditQuery(filter, { limit: 100, offset: 200 })).toEqual({
      sort: "-seq",
      "page[limit]": "100",
      "page[offset]": "200",
      "filter[username]": "admin",
      "filter[client_id]": "m-1",
      "filter[timestamp][since]": "2030-01-01T00:00:00Z",
    });
  });
});
