/**
 * Version of backend, agent and extension: one number, in one place. A test compares it with the
 * package files.
 */
export const VERSION = "0.1.0";

const FORM =
  /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]{1,100}))?(?:\+[0-9A-Za-z.-]{1,100})?$/;

/**
 * Whether a version comes before another one; a preliminary one (`1.2.0-rc.1`) does before the one that it
 * leads to. Undefined when one of them is no version.
 */
export function isOlder(version: string, than: string): boolean | undefined {
  const [one, other] = [FORM.exec(version), FORM.exec(than)];
  if (one === null || other === null) return undefined;
  const numbers = compared(one.slice(1, 4), other.slice(1, 4));
  if (numbers !== 0) return numbers < 0;
  const [lead, otherLead] = [one[4], other[4]];
  if (lead === undefined || otherLead === undefined)
    return lead !== undefined && lead !== otherLead;
  return compared(lead.split("."), otherLead.split(".")) < 0;
}

/** Below 0 when the first list comes before: part by part, and the shorter one when all that it has is equal. */
function compared(parts: readonly string[], others: readonly string[]): number {
  for (const [at, part] of parts.entries()) {
    const other = others[at];
    const order = other === undefined ? 1 : orderOf(part, other);
    if (order !== 0) return order;
  }
  return parts.length - others.length;
}

/** Numbers as numbers, before words; words by their letters. */
function orderOf(part: string, other: string): number {
  const [isNumber, isOtherNumber] = [part, other].map((text) => /^\d+$/.test(text));
  if (isNumber && isOtherNumber) return Number(part) - Number(other);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return part < other ? -1 : Number(part > other);
}
