import { describe, expect, it } from "vitest";
import { createLog } from "../../../../backend/src/platform/log.ts";
import { generatedSecret, readableId, secretId } from "../../../../backend/src/platform/random.ts";
import { Redactor } from "../../../../backend/src/platform/redactor.ts";
import { FakeClock } from "../../../support/clock.ts";
import { memorySink } from "../../../support/log.ts";

const SECRET = "kG0w9c2fJ4m8Qx7zT1yV5bN3sR6uE-aD_hLpKoIjMnB";

function logged(run: (log: ReturnType<typeof createLog>) => void): string {
  const redactor = new Redactor();
  redactor.hide("hunter22-hunter22");
  const { sink, lines } = memorySink();
  run(createLog({ clock: new FakeClock(), sink, level: "debug", redactor }));
  return lines.join("\n");
}

describe("the log", () => {
  it("writes one JSON object per line, with the fields of its parents", () => {
    const line = logged((log) =>
      log.child({ client: "a" }).warn("gone", { ms: 5, none: undefined }),
    );
    expect(JSON.parse(line)).toEqual({
      time: "2030-01-01T00:00:00.000Z",
      level: "warn",
      message: "gone",
      client: "a",
      ms: 5,
    });
  });

  it("keeps one line per message, whatever is in it", () => {
    expect(logged((log) => log.info("a\nb\u{2028}c", { x: "\r\n" })).split("\n")).toHaveLength(1);
  });

  it("drops what is below its level", () => {
    const { sink, lines } = memorySink();
    const log = createLog({ clock: new FakeClock(), sink });
    log.debug("x");
    log.info("y");
    expect(lines).toHaveLength(1);
  });

  it.each([
    ["a registered value", "login hunter22-hunter22 failed"],
    ["a generated secret", `auth fleet:${SECRET}`],
    ["a bearer token", "Authorization: Bearer abc.def-ghi_jkl"],
    ["a query", "GET /x?access_token=abcdef&y=1"],
    ["a personal token", `/api/v1/Ab3dEf9h_${SECRET}`],
    ["a session's token", `/api/v1/eyJhbGciOi1.eyJrG0wi5.${SECRET}`],
    ["the beginning of one", "/api/v1/eyJhbGciOi1.eyJrG0wi"],
    ["a pairing token", "claim 0123456789ABCDEFGHJKMNPQRS now"],
  ])("hides %s in a message and in a field", (_, text) => {
    const line = logged((log) => log.info(text, { note: text }));
    expect(line.match(/\[hidden\]/g)?.length).toBeGreaterThanOrEqual(2);
    expect(line).not.toMatch(/hunter22|kG0w|abc\.def|abcdef|ABCDEF/);
  });

  it.each([["password"], ["auth_password"], ["token"], ["authorization"], ["secret"]])(
    "hides whatever stands in the field %s",
    (name) => {
      expect(logged((log) => log.info("x", { [name]: "short" }))).not.toContain("short");
    },
  );

  it("shows fingerprints, ids and paths", () => {
    const shown = `SHA256:${SECRET} ${secretId()} /var/lib/rport 192.0.2.1:8080`;
    expect(logged((log) => log.info(shown))).toContain(shown);
  });
});

describe("random values", () => {
  it("have their shapes, and do not repeat", () => {
    expect(secretId()).toMatch(/^[\w-]{16}$/);
    expect(generatedSecret()).toMatch(/^[\w-]{43}$/);
    expect(readableId(6)).toMatch(/^[a-km-np-z2-9]{6}$/);
    expect(new Set(Array.from({ length: 1_000 }, generatedSecret)).size).toBe(1_000);
  });
});

describe("the fake clock", () => {
  it("runs timers in order, also those set meanwhile, and not those cancelled", () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    clock.after(20, () => seen.push("b"));
    clock.after(10, () => clock.after(5, () => seen.push("a")));
    clock.after(1, () => seen.push("never")).cancel();
    clock.jump(-3_600_000);
    clock.advance(20);
    expect(seen).toEqual(["a", "b"]);
    expect(clock.timers).toBe(0);
  });
});
