import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../../agent/src/config/config.ts";

const CLIENT = `[client]
server = "ws://127.0.0.1:1"
fingerprint = "SHA256:${"A".repeat(43)}"
auth = "id:secret"
`;
const read = (section: string) => parseConfig(`${CLIENT}${section}`, "/etc/rport.conf");

describe("[terminal] of rport.conf", () => {
  it("allows nothing where it is not there, or says nothing", () => {
    const none = {
      isAllowed: false,
      accounts: [],
      max: 16,
      idleMs: 0,
      shell: "",
      integratesShells: true,
    };
    expect(read("").terminal).toEqual(none);
    expect(read("[terminal]\n").terminal).toEqual(none);
  });

  it("is read as weakly as the rest", () => {
    const text =
      '[Terminal]\nEnabled = "true"\naccounts = "deploy, root"\nmax = "4"\nidle_timeout = "30m"\nshell = "/bin/zsh"\nshell_integration = "false"\n';
    expect(read(text).terminal).toEqual({
      isAllowed: true,
      accounts: ["deploy", "root"],
      max: 4,
      idleMs: 1_800_000,
      shell: "/bin/zsh",
      integratesShells: false,
    });
  });

  it.each([
    ["max = 0", "terminal.max must be a whole number from 1 to 32."],
    ["max = 33", "terminal.max must be a whole number from 1 to 32."],
    ["max = 1.5", "terminal.max must be a whole number from 1 to 32."],
    ['idle_timeout = "soon"', 'terminal.idle_timeout must be a duration such as "30s" or "2m".'],
    ['enabled = "maybe"', "terminal.enabled must be true or false."],
  ])("refuses %s", (line, sentence) => {
    expect(() => read(`[terminal]\n${line}\n`)).toThrow(sentence);
  });

  it("names what was misspelt", () => {
    expect(read("[terminal]\nenable = true\n").unknown).toEqual([
      "terminal.enable (did you mean enabled?)",
    ]);
    expect(read("[terminals]\nenabled = true\n").terminal.isAllowed).toBe(false);
  });
});
