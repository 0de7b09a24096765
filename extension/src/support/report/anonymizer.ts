/** Names by what they are names of, such as `client`. */
export type KnownNames = Readonly<Record<string, Iterable<string>>>;

/** Shorter names would blot out parts of words. */
const NAME_MIN = 3;

/**
 * Scheme, and everything behind it: user, host, path and parameters. Like the other patterns, it looks at a long text
 * without any once, not once for each of its characters.
 */
const URL_TEXT = /([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s"'<>`]+)/gi;
const MAIL = /(?<![^\s"'<>@=])[^\s"'<>@=]+@[^\s"'<>@]+/g;
const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)/g;
const GROUPS = "[0-9a-f]{1,4}(?::[0-9a-f]{1,4})";
/** All eight parts, or two colons; a time of day has neither. */
const IPV6 = new RegExp(
  `(?<![\\w:])(?:${GROUPS}{7}|(?:${GROUPS}*)?::(?:${GROUPS}*)?)(?![\\w:])`,
  "gi",
);
/** What stands together as in a token, a key or an id: with a digit in it, or longer than words are. */
const LONG = /(?<![\w+/=-])(?:(?=[\w+/=-]*\d)[\w+/=-]{20,}|[\w+=-]{32,})(?![\w+/=-])/g;
/** What means something else in a pattern. */
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;
/** Every computer has these. */
const HARMLESS = /^(?:127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[?::1?\]?|localhost)$/i;

/** Stand-ins while there is more to be found: of these no name is made, and nothing that is looked for. */
const [BEGIN, END, DIGITS] = ["\u{E000}", "\u{E001}", 0xe0_10] as const;
const STAND_IN = /\u{E000}([\u{E010}-\u{E019}]+)\u{E001}/gu;
const PRIVATE = /[\u{E000}-\u{E019}]/gu;

/**
 * Takes out of texts what says whose they are. The same thing gets the same number everywhere, so that
 * one still sees what belongs together: `[client 2]`, `[address 1]`.
 */
export class Anonymizer {
  readonly #names: readonly (readonly [name: string, kind: string])[];
  readonly #numbers = new Map<string, Map<string, number>>();

  /** @param known names that no pattern finds, also as the log writes them; the longest are looked for first */
  constructor(known: KnownNames) {
    const names = Object.entries(known).flatMap(([kind, each]) =>
      [...new Set([...each].flatMap(asWritten))].map((name) => [name, kind] as const),
    );
    this.#names = names
      .filter(([name]) => name.length >= NAME_MIN)
      .sort(([one], [other]) => other.length - one.length);
  }

  /** The text without names, addresses, and whatever looks like a token, a key or an id. */
  clean(text: string): string {
    const found: string[] = [];
    const hide = (shown: string) => {
      found.push(shown);
      const digits = [...String(found.length - 1)];
      return BEGIN + digits.map((d) => String.fromCodePoint(DIGITS + Number(d))).join("") + END;
    };
    const address = (host: string) => hide(this.#address(host));
    const cleaned = text
      .replaceAll(PRIVATE, "?")
      .replaceAll(URL_TEXT, (_, scheme: string, rest: string) => scheme + address(hostOf(rest)))
      .replaceAll(MAIL, (mail) => hide(this.#numbered("mail", mail)))
      .replaceAll(IPV4, address)
      .replaceAll(IPV6, address);
    return this.#withoutNames(cleaned, hide)
      .replaceAll(LONG, "[redacted]")
      .replaceAll(STAND_IN, (_, digits: string) => {
        const number = [...digits].map((digit) => (digit.codePointAt(0) ?? 0) - DIGITS).join("");
        return found[Number(number)] ?? "";
      });
  }

  #withoutNames(text: string, hide: (shown: string) => string): string {
    let cleaned = text;
    let lower = text.toLowerCase();
    for (const [name, kind] of this.#names) {
      if (!lower.includes(name.toLowerCase())) continue;
      const written = name.replaceAll(SYNTAX, "\\$&");
      const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${written}(?![\\p{L}\\p{N}_])`, "giu");
      const shown = this.#numbered(kind, name);
      cleaned = cleaned.replaceAll(pattern, () => hide(shown));
      lower = cleaned.toLowerCase();
    }
    return cleaned;
  }

  /** Ports tell nobody whose they are, and much about what was tried. */
  #address(written: string): string {
    const { groups } = /^(?<host>.*?)(?<port>:\d+)?$/.exec(written) ?? {};
    const isBare = written.split(":").length > 2 && !written.startsWith("[");
    const host = isBare ? written : (groups?.host ?? written);
    const port = isBare ? "" : (groups?.port ?? "");
    return (HARMLESS.test(host) ? host : this.#numbered("address", host)) + port;
  }

  #numbered(kind: string, value: string): string {
    const numbers = this.#numbers.get(kind) ?? new Map<string, number>();
    this.#numbers.set(kind, numbers);
    const key = value.toLowerCase();
    const number = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, number);
    return `[${kind} ${number}]`;
  }
}

/** A name, and what the log makes of it. */
const asWritten = (name: string) => [name, JSON.stringify(name).slice(1, -1)];

/** Host and port of what stands behind `://`. */
function hostOf(rest: string): string {
  const [authority = ""] = rest.split(/[/?#]/);
  return authority.slice(authority.lastIndexOf("@") + 1);
}
