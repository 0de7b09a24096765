import type { Delta, Entity, EntityValue } from "@rport/protocol/events";
import type { Sight } from "./audience.ts";

/** One thing as it is now, encoded for everybody who may see it. */
export type EncodedChange =
  | { readonly entity: "server"; readonly text: string }
  | {
      readonly entity: Entity;
      readonly id: string;
      /** Undefined: it is gone. */
      readonly value: EntityValue<Entity> | undefined;
      /** The value as JSON. */
      readonly text: string;
    };

/** The message for those with a sight. What may not be seen looks as if it were gone. */
export function deltaMessage(
  { seq, at }: Pick<Delta, "seq" | "at">,
  changes: readonly EncodedChange[],
  sight: Sight,
): Buffer {
  const opened = JSON.stringify({ type: "delta", seq, at }).slice(0, -1);
  const texts = changes.map((change) => changeText(change, sight));
  return Buffer.from(`${opened},"changes":[${texts.join(",")}]}`);
}

function changeText(change: EncodedChange, sight: Sight): string {
  const { entity, text } = change;
  if (entity === "server") return `{"entity":"server","value":${text}}`;
  const { id, value } = change;
  const isHidden = value !== undefined && !sight.maySee(entity, value);
  const named = JSON.stringify({ entity, id }).slice(0, -1);
  return `${named},"value":${isHidden ? "null" : text}}`;
}
