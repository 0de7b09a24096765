/** Longest typed password, in characters. */
const PASSWORD_MAX = 512;

/** How many characters a password has, as people count them. */
export function passwordLength(password: string): number {
  return [...password].length;
}

/** Why a text cannot be a typed password, as a sentence without it; undefined when it can. */
export function whyNotPassword(password: string, minLength: number): string | undefined {
  const length = passwordLength(password);
  if (length < minLength) {
    return `A password has at least ${minLength} characters; this one has ${length}.`;
  }
  if (length > PASSWORD_MAX) return `A password has at most ${PASSWORD_MAX} characters.`;
  if (/\p{Cc}/u.test(password)) return "A password cannot contain control characters.";
  return undefined;
}
