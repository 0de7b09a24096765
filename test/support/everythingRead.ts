import { afterReading } from "../../backend/src/platform/afterReading.ts";

/** Resolves when whoever was to be judged for his silence by now has been. */
export function everythingRead(): Promise<void> {
  return new Promise((resolve, reject) =>
    afterReading(reject, () => afterReading(reject, resolve)),
  );
}
