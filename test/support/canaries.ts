/**
 * Characters that stand for the first bytes of what is in front of a secret, by its length mod 3.
 */
const HEAD_CHARACTERS = [0, 2, 3];

/** Secrets that were made known, to be looked for wherever they must not be. */
export class Canaries {
  readonly #forms = new Map<string, readonly Buffer[]>();

  /** From now on the value is looked for, in every form that a program might give it. */
  add(name: string, value: string | Buffer): void {
    const bytes = Buffer.from(value);
    if (bytes.length < 8) throw new Error(`${name} is too short to be told from chance`);
    const texts = [bytes.toString("hex"), bytes.toString("hex").toUpperCase()];
    for (const head of [0, 1, 2]) texts.push(...base64Within(bytes, head));
    if (typeof value === "string") {
      texts.push(encodeURIComponent(value), encodeURI(value), JSON.stringify(value).slice(1, -1));
      texts.push(value.toLowerCase(), new URLSearchParams({ v: value }).toString().slice(2));
    }
    this.#forms.set(
      name,
      [bytes, ...new Set(texts)].map((form) => Buffer.from(form)),
    );
  }

  /** The names of those that are in there, in any form, save the allowed ones. */
  in(content: string | Buffer, allowed: readonly string[] = []): string[] {
    const bytes = Buffer.from(content);
    const isIn = ([name, forms]: [string, readonly Buffer[]]) =>
      !allowed.includes(name) && forms.some((form) => bytes.includes(form));
    return [...this.#forms].filter(isIn).map(([name]) => name);
  }

  /** How many are looked for. */
  get count(): number {
    return this.#forms.size;
  }
}

/** How the bytes look inside a longer text in base64, with `head` bytes in front of them. */
function base64Within(bytes: Buffer, head: number): string[] {
  const padded = Buffer.concat([Buffer.alloc(head), bytes]);
  const end = Math.floor(padded.length / 3) * 4;
  const start = HEAD_CHARACTERS[head] ?? 0;
  return ["base64" as const, "base64url" as const].map((encoding) =>
    padded.toString(encoding).slice(start, end),
  );
}
