import { describe, expect, it } from "vitest";
import { type AwayFacts, whyOfflineText } from "../../../../extension/src/model/whyOffline.ts";
import { HOSTILE_TEXTS } from "../../../support/hostileTexts.ts";
import { client, credential, refusal } from "../entities.ts";

const NOW = Date.parse("2030-01-01T03:00:00Z");
const GONE_AT = "2030-01-01T02:00:00Z";
const SECRET = { id: "secret-1", origin: "initial", state: "active" };

/** A host that is away, with whatever a test wants different. */
function away(changes: Record<string, unknown> = {}) {
  return client("db-01", {
    connection_state: "disconnected",
    disconnected_at: GONE_AT,
    connection_end: { kind: "lost", text: "the connection was lost" },
    secret: SECRET,
    features: ["half-close"],
    ...changes,
  });
}

function textOf(changes: Partial<AwayFacts> = {}): string {
  return whyOfflineText({
    client: away(),
    server: { name: "Relay", isConnected: true },
    credential: credential("fleet"),
    mayAdminister: true,
    refusals: [],
    alike: [],
    nowMs: NOW,
    aheadMs: 0,
    ...changes,
  });
}

/** What the document says first, below its heading. */
const verdictOf = (text: string) => text.split("\n")[2];

describe("why a client is offline", () => {
  it("says where to look when nothing on the server keeps it away", () => {
    const text = textOf();
    expect(verdictOf(text)).toMatch(/^Nothing on the server keeps it away/);
    expect(text).toContain("\n- Last connection: Ended 60 min ago, 1 Jan");
    expect(text).toContain("it does not even try");
    expect(text).toContain("rport-agent status");
    expect(text).not.toContain("\nx ");
  });

  it("says that the two clocks differ, and tells times by the server's", () => {
    expect(textOf()).not.toContain("Clock");
    const behind = textOf({ aheadMs: 3 * 3_600_000 - 7 });
    expect(behind).toContain("This computer's clock is 3 h behind that of Relay.");
    expect(behind).toContain("Ended 60 min ago");
    expect(textOf({ aheadMs: -90 * 60_000 })).toContain("is 90 min ahead of that of Relay.");
  });

  it.each<[string, Partial<AwayFacts>, RegExp]>([
    [
      "its server is away",
      { server: { name: "Relay", isConnected: false } },
      /no connection to Relay/,
    ],
    ["it was revoked", { client: away({ revoked_at: GONE_AT }) }, /revoked 60 min ago/],
    ["its credential was deleted", { credential: undefined }, /was deleted/],
    [
      "its credential has expired",
      { credential: credential("fleet", { limits: { expires_at: GONE_AT } }) },
      /expired 60 min ago/,
    ],
    [
      "its secret was revoked",
      { client: away({ secret: { ...SECRET, state: "revoked" } }) },
      /secret .* is revoked/,
    ],
    ["it came back under another id", { alike: [client("db-02")] }, /online as db-02/],
    [
      "it was turned away since",
      {
        refusals: [
          refusal("r-1", {
            client_id: "db-01",
            last_at: "2030-01-01T02:30:00Z",
            text: "this credential may not be used from here",
            count: 3,
          }),
        ],
      },
      /^It was turned away 3 times, last 30 min ago from/,
    ],
  ])("begins with it when %s", (_case, changes, expected) => {
    expect(verdictOf(textOf(changes))).toMatch(expected);
  });

  it("does not blame a refusal from before it was connected last, nor that of another host", () => {
    const old = refusal("r-1", { client_id: "db-01", last_at: "2030-01-01T01:00:00Z" });
    const other = refusal("r-2", { client_id: "web-01", last_at: "2030-01-01T02:30:00Z" });
    expect(textOf({ refusals: [old, other] })).toContain("it does not even try");
  });

  it("tells who may not see credentials and refusals that they are for administrators", () => {
    const text = textOf({ mayAdminister: false, credential: undefined });
    expect(text).toContain("Only administrators see who was turned away.");
    expect(text).not.toContain("Credential");
  });

  it("says that it is online when it has come back", () => {
    expect(textOf({ client: client("db-01") })).toBe("# db-01 is online\n");
  });

  it.each(HOSTILE_TEXTS)("C-07: keeps what a host says in its line: %j", (said) => {
    const end = { kind: "left", text: said.slice(0, 900) };
    const lines = textOf().split("\n").length;
    const text = textOf({ client: away({ name: said.slice(0, 900), connection_end: end }) });
    expect(text.split("\n")).toHaveLength(lines);
    expect(text).not.toMatch(/(?!\n)\p{Cc}|\p{Bidi_Control}/u);
  });
});
