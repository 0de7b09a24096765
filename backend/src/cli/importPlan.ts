import { type AuthId, authIdSchema, whyNotAuthId } from "@rport/protocol/ids";
import { passwordLength, whyNotPassword } from "../passwords/passwordRule.ts";
import type { FileCredential } from "./credentialFile.ts";

/** Ids that are longer than any auth id are cut there when they are shown. */
const SHOWN_MAX = 80;

/** An entry that becomes a credential. */
export interface ImportedCredential {
  readonly id: AuthId;
  readonly password: string;
}

/** An entry that cannot become one, and why, as a sentence. */
export interface UnusableEntry {
  /** Fit to be printed. */
  readonly id: string;
  readonly reason: string;
}

/** What an import would do, before anything is done. */
export interface ImportPlan {
  readonly made: readonly ImportedCredential[];
  readonly existing: readonly AuthId[];
  readonly unusable: readonly UnusableEntry[];
  /** The length of the shortest password that is too short; undefined: none is. */
  readonly shortest: number | undefined;
}

/** What the server says that a plan depends on. */
export interface ImportFacts {
  readonly existing: ReadonlySet<string>;
  /** Fewest characters of a typed password. */
  readonly minLength: number;
}

/** Plans the import of a file's entries, in the file's order. */
export function planImport(entries: readonly FileCredential[], facts: ImportFacts): ImportPlan {
  const { existing, minLength } = facts;
  const made: ImportedCredential[] = [];
  const kept: AuthId[] = [];
  const unusable: UnusableEntry[] = [];
  const lengths: number[] = [];
  for (const { id, password } of entries) {
    const parsed = authIdSchema.safeParse(id);
    const reason = whyNotAuthId(id) ?? whyNotPassword(password, minLength);
    if (parsed.success && existing.has(id)) kept.push(parsed.data);
    else if (reason !== undefined) unusable.push({ id: shown(id), reason });
    else if (parsed.success) made.push({ id: parsed.data, password });
    if (!existing.has(id)) lengths.push(passwordLength(password));
  }
  const shortest = Math.min(...lengths);
  return { made, existing: kept, unusable, shortest: shortest < minLength ? shortest : undefined };
}

/** A foreign text for a terminal. */
function shown(id: string): string {
  const cut = [...id].slice(0, SHOWN_MAX).join("");
  return JSON.stringify(cut.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?"));
}
