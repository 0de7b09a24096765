import { isDeceptive, writtenOut } from "@rport/protocol/deceptive";

/** Whether a text is one visible line, so that what is shown is what a terminal would get. */
export function isPlainLine(text: string): boolean {
  return text !== "" && !isDeceptive(text);
}

/** One line of a text from outside: what could fool an eye is written out, as `\u{202E}`. */
export function inertLine(text: string): string {
  return writtenOut(text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")).trim();
}

/** The same for a label or a message of the editor, in which it must become no icon and no link. */
export function plainText(text: string): string {
  return inertLine(text).replaceAll("$(", "$ (").replaceAll("](", "] (");
}

/**
 * One line of a text from outside for Markdown: it becomes no link, also where it is a bare address,
 * no picture, no icon, no formatting. The editor looks for icons in what Markdown has become, so
 * their sign is hidden from both.
 */
export function escapeMarkdown(text: string): string {
  return inertLine(text)
    .replaceAll(/[\\`*_{}[\]()#+\-.!|<>~&:@=]/g, "\\$&")
    .replaceAll("$", "&#36;");
}

/** Up to `max` names, then `+n`. */
export function nameSome(names: readonly string[], max: number): string {
  const shown = names.slice(0, max).join(", ");
  return names.length > max ? `${shown} +${names.length - max}` : shown;
}
