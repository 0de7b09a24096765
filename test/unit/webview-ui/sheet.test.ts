import type { SheetState } from "@rport/protocol/sheet";
import { describe, expect, it } from "vitest";
import { choiceOf } from "../../../webview-ui/src/choice.ts";
import { describeTimeLeft, expiryOf, timeLeftMs } from "../../../webview-ui/src/countdown.ts";
import { parseTags } from "../../../webview-ui/src/options.ts";
import { isUsable, statusOf } from "../../../webview-ui/src/status.ts";
import { wordsOf } from "../../../webview-ui/src/words.ts";

const EXPIRES = "2026-01-01T00:10:00Z";
const words = wordsOf({});

const state = (pairing: SheetState["pairing"]): SheetState => ({
  type: "state",
  server: { name: "local", url: "http://127.0.0.1:8080", fingerprint: "SHA256:x" },
  credential: "fleet",
  pairing,
  platforms: [
    {
      id: "linux",
      title: "Linux",
      commands: [
        { id: "curl", title: "curl", text: "curl it" },
        { id: "wget", title: "wget", text: "wget it" },
      ],
    },
  ],
  options: { name: "", tags: [], noService: false, prefix: "" },
  clockSkewMs: 0,
  strings: {},
});

const kinds: SheetState["pairing"][] = [
  { kind: "creating" },
  { kind: "waiting", expiresAt: EXPIRES },
  { kind: "claimed", hostname: "web-07", address: "192.0.2.7", expiresAt: EXPIRES },
  { kind: "connected", clientId: "c1", name: "web-07", os: "Debian 12", address: "192.0.2.7" },
  { kind: "expired" },
  { kind: "revoked" },
  { kind: "failed", reason: "The server is unreachable.", requestId: "r-1" },
];

describe("the state of an install sheet", () => {
  it("tells every state apart in words", () => {
    const chips = kinds.map((pairing) => statusOf(state(pairing), words).chip);
    expect(new Set(chips).size).toBe(kinds.length);
    expect(chips).toContain("Connected: web-07");
  });

  it("says why there is no command, with the code", () => {
    const failed = state({ kind: "failed", reason: "No space left.", requestId: "r-9" });
    expect(statusOf(failed, words).sentence).toBe("No space left. (r-9)");
  });

  it("offers a command for copying only while it can install a host", () => {
    const usable = kinds.filter((pairing) => isUsable(state(pairing)));
    expect(usable.map(({ kind }) => kind)).toEqual(["waiting"]);
  });

  it("counts down only while the pairing can end", () => {
    const counting = kinds.filter((pairing) => expiryOf(state(pairing)) !== undefined);
    expect(counting.map(({ kind }) => kind)).toEqual(["waiting", "claimed"]);
  });
});

describe("the countdown", () => {
  const end = Date.parse(EXPIRES);

  it("uses the server's clock when this computer's clock is wrong", () => {
    const localNow = end - 3_600_000;
    expect(timeLeftMs(EXPIRES, 3_600_000 - 60_000, localNow)).toBe(60_000);
  });

  it("never shows a negative time", () => expect(timeLeftMs(EXPIRES, 0, end + 1)).toBe(0));

  it.each([
    [600_000, "10 min"],
    [61_000, "2 min"],
    [60_000, "60 s"],
    [400, "1 s"],
    [0, "0 s"],
  ])("shows %d ms as %s", (ms, text) => expect(describeTimeLeft(ms, words)).toBe(text));
});

describe("the choice of a command", () => {
  it("keeps the wanted one", () => {
    expect(choiceOf(state({ kind: "expired" }), "wget")?.text).toBe("wget it");
  });

  it("falls back to the first", () => {
    expect(choiceOf(state({ kind: "expired" }), "powershell")?.command).toBe("curl");
  });

  it("is nothing where the server has no platform", () => {
    expect(choiceOf({ ...state({ kind: "creating" }), platforms: [] }, "curl")).toBeUndefined();
  });
});

describe("tags", () => {
  it("are trimmed, without empty ones and repeats", () => {
    expect(parseTags(" web, db,,web ,")).toEqual(["web", "db"]);
  });
});

describe("words", () => {
  it("come from the host where it has them", () => {
    const german = wordsOf({ connected: "Verbunden: {0}" });
    expect(german("connected", "web-07")).toBe("Verbunden: web-07");
    expect(german("copy")).toBe("Copy");
  });

  it("ignore names that are not the host's own", () => {
    expect(wordsOf(Object.create({ copy: "Inherited" }))("copy")).toBe("Copy");
  });
});
