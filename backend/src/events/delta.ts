import type { Delta } from "@rport/protocol/events";
import type { EncodedServer, EncodedThing, ShownThings } from "./shownThings.ts";

/** The message about these changes for those who are shown as much; undefined: nothing of it. */
export function deltaMessage(
  { seq, at }: Pick<Delta, "seq" | "at">,
  changes: readonly (EncodedServer | EncodedThing)[],
  shown: ShownThings,
): Buffer | undefined {
  const texts = changes.flatMap((change) => shown.changeText(change) ?? []);
  if (texts.length === 0) return undefined;
  const opened = JSON.stringify({ type: "delta", seq, at }).slice(0, -1);
  return Buffer.from(`${opened},"changes":[${texts.join(",")}]}`);
}
