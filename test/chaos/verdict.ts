/** One thing that has to hold. */
export interface Finding {
  readonly what: string;
  readonly isGood: boolean;
  /** What was seen. */
  readonly seen: string;
}

/** What came of one fault. */
export interface Verdict {
  readonly name: string;
  readonly title: string;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** Why it was not tried. */
  readonly lack?: string;
  /** What ended it before its end. */
  readonly failure?: string;
}

/** Counts, as the stages of `npm test` have them. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notes: readonly string[];
}

/** Whether everything held. */
export const holds = ({ findings, failure }: Verdict): boolean =>
  failure === undefined && findings.every(({ isGood }) => isGood);

/** One line for each thing that had to hold. */
export function textOf(verdict: Verdict): string {
  const { name, title, seconds, findings, lack, failure } = verdict;
  if (lack !== undefined) return `skipped  ${name}: ${lack}`;
  const word = holds(verdict) ? "ok      " : "FAILED  ";
  const lines = findings.map(
    ({ what, isGood, seen }) => `  ${isGood ? "ok    " : "FAILED"} ${what}: ${seen}`,
  );
  const tail = failure === undefined ? [] : [`  FAILED it did not come to its end: ${failure}`];
  return [`${word} ${name}: ${title} (${seconds.toFixed(0)} s)`, ...lines, ...tail].join("\n");
}

/** Each fault is one test; `again`: the command that repeats the run. */
export function countsOf(verdicts: readonly Verdict[], again: string): Counts {
  const tried = verdicts.filter(({ lack }) => lack === undefined);
  const failed = tried.filter((verdict) => !holds(verdict));
  const left = verdicts.filter(({ lack }) => lack !== undefined);
  return {
    passed: tried.length - failed.length,
    failed: failed.length,
    skipped: left.length,
    notes: [
      ...left.map(({ name, lack }) => `${name} was skipped: ${lack}`),
      ...failed.map(({ name }) => `${name} failed; again: ${again} ${name}`),
    ],
  };
}
