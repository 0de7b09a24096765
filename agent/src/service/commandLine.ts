const PLAIN = /^[A-Za-z0-9_./:@%+,=-]+$/;

/** Words as a shell of POSIX reads them again. */
export function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
