import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { withTerminals } from "../../../../agent/src/config/terminalSection.ts";

const OWN = { isAllowed: true, asRoot: false } as const;
const ROOT = { isAllowed: true, asRoot: true } as const;
const OFF = { isAllowed: false } as const;

const CLIENT = '# mine\n[client]\nserver = "h" # here\nauth = "id:secret"\n';

describe("the section of terminals", () => {
  test("is put behind everything that is there, which stays as it is", () => {
    expect(withTerminals(CLIENT, OWN)).toBe(`${CLIENT}\n[terminal]\nenabled = true\n`);
    expect(withTerminals(CLIENT.trimEnd(), OWN)).toBe(`${CLIENT}\n[terminal]\nenabled = true\n`);
    const asRoot = parse(withTerminals(CLIENT, ROOT)).terminal;
    expect(asRoot).toEqual({ enabled: true, accounts: ["root"] });
  });

  test("keeps what else a person wrote into it, and its remarks", () => {
    const text = `${CLIENT}[Terminal] # ours\nmax = 3 # few\nEnabled = false # not yet\nidle_timeout = "1h"\n`;
    const allowed = withTerminals(text, OWN);
    expect(allowed).toBe(text.replace("Enabled = false", "Enabled = true"));
    expect(withTerminals(allowed, OFF)).toBe(text);
  });

  test("names root only where the agent is root, and first unless it is named", () => {
    const text = `${CLIENT}[terminal]\naccounts = ["anna", "bob"]\n`;
    expect(parse(withTerminals(text, ROOT)).terminal).toEqual({
      enabled: true,
      accounts: ["root", "anna", "bob"],
    });
    const named = text.replace('"bob"', '"root"');
    expect(withTerminals(named, ROOT)).toContain('accounts = ["anna", "root"]');
    expect(withTerminals(text, OWN)).toBe(`${CLIENT}[terminal]\nenabled = true\n`);
  });

  test("a second time nothing changes, and what was never allowed needs no words", () => {
    for (const setting of [OWN, ROOT]) {
      const once = withTerminals(CLIENT, setting);
      expect(withTerminals(once, setting)).toBe(once);
    }
    expect(withTerminals(CLIENT, OFF)).toBe(CLIENT);
  });

  test.each([
    ["on one line", 'client.server = "h"\nterminal = { enabled = false, max = 2 }\n'],
    ["with dots", '[client]\nserver = "h"\n[terminal]\nmax = 2\nlimits.deep = "x"\n'],
    ["over several lines", '[client]\nserver = "h"\n[terminal]\nmax = 2\naccounts = [\n "x",\n]\n'],
    [
      "with another's words",
      '[client]\nserver = "h"\nname = """\n[terminal]\nenabled = false\n"""\n',
    ],
  ])("is right however a file is written: %s", (_, text) => {
    const before = parse(text);
    for (const setting of [OWN, ROOT]) {
      const { terminal, ...others } = parse(withTerminals(text, setting));
      const { terminal: old, ...same } = before;
      const { accounts: _accounts, ...kept } = (old ?? {}) as Record<string, unknown>;
      expect(others).toEqual(same);
      expect(terminal).toMatchObject({ ...kept, enabled: true });
    }
  });

  test("is refused where it is no section, without a word of the file", () => {
    expect(() => withTerminals("terminal = 3\n", OWN)).toThrow("no section");
    expect(() => withTerminals('auth = "id:sec', OWN)).toThrow(/^rport.conf is not valid TOML.$/);
  });
});
