/** A word as a shell of this family reads it. */
export const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
