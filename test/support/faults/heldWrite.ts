import type { SecretEdit } from "../../../backend/src/store/secretEdit.ts";
import type { Store } from "../../../backend/src/store/store.ts";

type IsEdit = (edit: SecretEdit) => boolean;

/** A write that waits. */
export interface HeldWrite {
  /** Resolves when it has been asked for. */
  readonly arrived: Promise<void>;
  readonly goOn: () => void;
}

/** The first write that contains such an edit waits until it is told to go on. */
export function holdWrite({ secretRows }: Pick<Store, "secretRows">, isIt: IsEdit): HeldWrite {
  const [arrived, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const apply = secretRows.apply.bind(secretRows);
  let isHeld = false;
  secretRows.apply = async (edits) => {
    if (!isHeld && edits.some(isIt)) {
      isHeld = true;
      arrived.resolve();
      await goOn.promise;
    }
    await apply(edits);
  };
  return { arrived: arrived.promise, goOn: goOn.resolve };
}
