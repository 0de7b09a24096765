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
  it("has a line for each entry, with its facts below", () => {
    const rows = [row(), row({ username: "", client_id: "m-1", client_hostname: "web-01" })];
    expect(auditText({ ...FACTS, rows, filter: { action: "rotate" } })).toBe(
      [
        "# Audit log of relay, newest first",
        "# Filter: Action: rotate",
        "",
        "2030-01-01T00:00:00.000Z  client.auth  rotate  fleet  by admin  from 127.0.0.1",
        '    asked:   {"grace_seconds":0}',
        "2030-01-01T00:00:00.000Z  client.auth  rotate  fleet  from 127.0.0.1",
        "    client:  web-01 (m-1)",
        '    asked:   {"grace_seconds":0}',
        "# That is all.",
        "",
      ].join("\n"),
    );
  });

  it("lets no value from a host pass for an entry of its own", () => {
    const forged = "web\n2031-01-01T00:00:00Z  client.auth  delete\u2028x";
    const lines = auditText({ ...FACTS, rows: [row({ client_hostname: forged })] }).split(
      /\n|\u2028/,
    );
    expect(lines.filter((line) => line.startsWith("2031"))).toEqual([]);
  });

  it("says when it could not be read, when there is nothing, and when there is more", () => {
    const text = (changes: object) => auditText({ ...FACTS, rows: [], ...changes });
    expect(text({ failure: "The server is away." })).toContain("# The server is away.");
    expect(text({})).toContain("# Nothing was recorded.");
    expect(text({ rows: [row()], hasMore: true })).toContain("# There is more.");
  });
});

describe("the query of the audit log", () => {
  it("narrows by what was chosen, and pages", () => {
    const filter = { username: "admin", client_id: "m-1", since: "2030-01-01T00:00:00Z" };
    expect(auditQuery(filter, { limit: 100, offset: 200 })).toEqual({
      "page[limit]": "100",
      "page[offset]": "200",
      "filter[username]": "admin",
      "filter[client_id]": "m-1",
      "filter[timestamp][since]": "2030-01-01T00:00:00Z",
    });
  });
});
