import { describe, expect, it } from "vitest";
import { dateAndTime } from "../../../../extension/src/model/relativeTime.ts";
import {
  type LocalTunnelFacts,
  localTunnelRow,
} from "../../../../extension/src/model/rows/tunnelRow.ts";

const NOW = Date.UTC(2030, 0, 1, 12);
const MINUTE_MS = 60_000;

function facts(parts: Partial<LocalTunnelFacts> = {}): LocalTunnelFacts {
  const remote = { host: "127.0.0.1", port: 5432 };
  const state = { isOpen: true, connections: 0, failure: undefined, broke: undefined };
  return { localPort: 15_432, remote, ...state, ...parts };
}

describe("the row of a tunnel to this computer", () => {
  it("is dim and says so when the tunnel is not open, and offers to open it", () => {
    expect(localTunnelRow(facts({ isOpen: false }), "db-01", NOW)).toEqual({
      label: "127.0.0.1:15432",
      description: "not open \u00B7 \u2192 db-01:5432 PostgreSQL",
      icon: { name: "debug-disconnect", color: "disabledForeground" },
      context: "tunnel+closed+local",
      children: "none",
      spoken: "127.0.0.1:15432, leads to db-01:5432 PostgreSQL, not open",
    });
    const failed = facts({ isOpen: false, failure: "Port 15432 is used." });
    expect(localTunnelRow(failed, "db-01", NOW)).toMatchObject({
      description: "not open: Port 15432 is used. \u00B7 \u2192 db-01:5432 PostgreSQL",
      icon: { name: "warning" },
      spoken: "127.0.0.1:15432, leads to db-01:5432 PostgreSQL, not open: Port 15432 is used.",
    });
  });

  it("says for ten minutes that connections broke, and on a hover also later, and why", () => {
    const why = "The connection to the server was lost.";
    const of = (minutes: number) => {
      const broke = { why, atMs: NOW - minutes * MINUTE_MS, connections: 2 };
      return localTunnelRow(facts({ broke, connections: 1 }), "db-01", NOW);
    };
    const at = dateAndTime(NOW - 2 * MINUTE_MS);
    expect(of(2).description).toBe(
      `2 connections broke on ${at} \u00B7 \u2192 db-01:5432 PostgreSQL \u00B7 1 connection`,
    );
    expect(of(2).spoken).toContain(`1 connection, 2 connections broke on ${at}: ${why}`);
    expect(of(11).description).toBe("\u2192 db-01:5432 PostgreSQL \u00B7 1 connection");
    expect(of(11).spoken).toContain("2 connections broke");
  });
});
