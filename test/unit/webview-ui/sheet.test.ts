import type { HostStage, SheetHost, SheetState } from "@rport/protocol/sheet";
import { describe, expect, it } from "vitest";
import {
  describeLine,
  describeTimeLeft,
  expiryOf,
  timeLeftMs,
} from "../../../webview-ui/src/countdown.ts";
import { stepsText } from "../../../webview-ui/src/hosts.ts";
import { moment } from "../../../webview-ui/src/moment.ts";
import { parseTags } from "../../../webview-ui/src/options.ts";
import { shownText } from "../../../webview-ui/src/snippet.ts";
import { isLineDone, isUsable, statusOf } from "../../../webview-ui/src/status.ts";
import { wordsOf } from "../../../webview-ui/src/words.ts";

const EXPIRES = "2026-01-01T00:10:00Z";
const AT = "2026-01-01T00:01:00Z";
const words = wordsOf({});

const state = (changes: Partial<SheetState> = {}): SheetState => ({
  type: "state",
  server: { name: "local", url: "http://127.0.0.1:8080", fingerprint: "SHA256:x" },
  credential: "fleet",
  pairingId: "0123456789ABCDEF",
  line: { kind: "open", expiresAt: EXPIRES },
  uses: 1,
  hostname: "",
  service: { kind: "embedded", url: "" },
  hosts: [],
  news: [],
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
  chosen: { platform: "linux", command: "wget" },
  options: {
    name: "",
    tags: [],
    hostname: "",
    uses: "1",
    minutes: "",
    user: "",
    prefix: "",
    proxy: "",
    packageFile: "",
    sha256: "",
    runtime: "auto",
    terminals: false,
    noService: false,
    noStart: false,
    newId: false,
    force: false,
  },
  offered: [],
  problems: {},
  manual: { kind: "none" },
  clockSkewMs: 0,
  ...changes,
});

const host = (stage: HostStage, name = "web-07"): SheetHost => ({
  clientId: name,
  name,
  address: "192.0.2.7",
  os: "Debian 12",
  stage,
  at: AT,
  steps: [{ at: AT, kind: "claimed" }],
  text: "",
});

const lines: SheetState["line"][] = [
  { kind: "creating" },
  { kind: "open", expiresAt: EXPIRES },
  { kind: "used" },
  { kind: "expired", at: EXPIRES },
  { kind: "revoked" },
  { kind: "lost" },
  { kind: "over" },
  { kind: "credentialGone" },
  { kind: "failed", reason: "The server is unreachable.", requestId: "r-1", isService: false },
];

const stages: HostStage[] = [
  "claimed",
  "installed",
  "approval",
  "connected",
  "refused",
  "failed",
  "silent",
  "offline",
  "hostRevoked",
  "deleted",
];

describe("the state of an install sheet", () => {
  it("tells every end of a line, and every stage of its host, apart in words", () => {
    const used = { line: { kind: "used" } } as const;
    const states = [
      ...lines.map((line) => state({ line })),
      ...stages.map((stage) => state({ ...used, hosts: [host(stage)] })),
    ];
    const chips = states.map((one) => statusOf(one, words).chip);
    expect(new Set(chips).size).toBe(states.length);
    expect(chips).toContain("Connected: web-07");
  });

  it("is good only while a host is connected", () => {
    const tones = stages.map((stage) => statusOf(state({ hosts: [host(stage)] }), words).tone);
    expect(tones.filter((tone) => tone === "good")).toHaveLength(1);
    expect(tones[stages.indexOf("connected")]).toBe("good");
  });

  it("counts the hosts of a roll-out", () => {
    const hosts = [host("connected"), host("silent", "web-08")];
    const some = statusOf(state({ uses: 3, hosts }), words);
    expect([some.chip, some.tone]).toEqual(["1 of 3 connected", "neutral"]);
    const all = state({ uses: 2, hosts: [host("connected"), host("connected", "web-08")] });
    expect(statusOf(all, words).tone).toBe("good");
  });

  it("says why there is no command, with the code, unless a pairing service is to blame", () => {
    const line = { kind: "failed", reason: "No space left.", requestId: "r-9" } as const;
    const sentence = (isService: boolean) =>
      statusOf(state({ line: { ...line, isService } }), words).sentence;
    expect(sentence(false)).toBe("No space left. (r-9)");
    expect(sentence(true)).toBe("No space left.");
  });

  it("offers a command for copying only while it can install a host and is what was chosen", () => {
    const usable = lines.filter((line) => isUsable(state({ line })));
    expect(usable.map(({ kind }) => kind)).toEqual(["open"]);
    expect(isUsable(state({ problems: { prefix: "Not like that." } }))).toBe(false);
  });

  it("hides the line when its one host has it, and not when there are more to come", () => {
    const used = { line: { kind: "used" }, hosts: [host("silent")] } as const;
    expect(isLineDone(state({ ...used, hosts: [...used.hosts] }))).toBe(true);
    expect(isLineDone(state({ ...used, hosts: [...used.hosts], uses: 2 }))).toBe(false);
    expect(isLineDone(state({ ...used, hosts: [] }))).toBe(false);
  });

  it("shows the chosen line", () => {
    expect(shownText(state())).toBe("wget it");
    expect(shownText(state({ platforms: [] }))).toBe("");
  });

  it("lists all that was heard of a host", () => {
    const steps = [
      { at: AT, kind: "claimed" },
      { at: EXPIRES, kind: "connected" },
    ] as const;
    const text = stepsText({ ...host("connected"), steps: [...steps] }, words);
    expect(text).toBe(
      `credentials taken ${moment(AT, words)} → connected ${moment(EXPIRES, words)}`,
    );
  });
});

describe("the countdown", () => {
  const end = Date.parse(EXPIRES);

  it("counts only while the line is open", () => {
    const counting = lines.filter((line) => expiryOf(state({ line })) !== undefined);
    expect(counting.map(({ kind }) => kind)).toEqual(["open"]);
  });

  it("uses the server's clock when this computer's clock is wrong", () => {
    const localNow = end - 3_600_000;
    expect(timeLeftMs(EXPIRES, 3_600_000 - 60_000, localNow)).toBe(60_000);
  });

  it("never shows a negative time", () => expect(timeLeftMs(EXPIRES, 0, end + 1)).toBe(0));

  it.each([
    [600_000, "10 min"],
    [300_400, "5 min"],
    [91_000, "2 min"],
    [90_000, "90 s"],
    [400, "1 s"],
    [0, "0 s"],
  ])("shows %d ms as %s", (ms, text) => expect(describeTimeLeft(ms, words)).toBe(text));

  it("says for how many hosts the line works, and who has used it", () => {
    const left = (changes: Partial<SheetState>) =>
      describeLine(state(changes), words, end - 120_000);
    expect(left({})).toContain("Works once, until");
    expect(left({ uses: 5, hosts: [host("claimed")] })).toContain("Still works for 4 of 5 hosts");
    const service = { kind: "rport-pairing", url: "https://pair.example.com" } as const;
    expect(left({ service })).toContain("for everybody who has it");
    const used = { line: { kind: "used" }, hosts: [host("offline")] } as const;
    expect(left({ ...used, hosts: [...used.hosts] })).toContain("Used by web-07 at");
  });
});

describe("tags", () => {
  it("are trimmed, without empty ones and repeats", () => {
    expect(parseTags(" web, db,,web ,")).toEqual(["web", "db"]);
  });
});

describe("a moment", () => {
  // the machine that tests run on speaks neither
  const german = wordsOf({ "en-GB": "de-DE" });
  const [at, later] = ["2026-03-09T14:05:00", Date.parse("2026-03-11T09:00:00")];

  it("is a time of day on its day, and has the day in the language of the words on others", () => {
    expect(moment(at, words, Date.parse(at))).toBe("14:05");
    expect(moment(at, words, later)).toBe("9 Mar, 14:05");
    expect(moment(at, german, later)).toBe("9. März, 14:05");
  });
});

describe("words", () => {
  it("come from the host where it has them", () => {
    const german = wordsOf({ "Connected: {0}": "Verbunden: {0}" });
    expect(german("connected", "web-07")).toBe("Verbunden: web-07");
    expect(german("copy")).toBe("Copy");
  });

  it("ignore names that are not the host's own", () => {
    expect(wordsOf(Object.create({ Copy: "Inherited" }))("copy")).toBe("Copy");
  });
});
