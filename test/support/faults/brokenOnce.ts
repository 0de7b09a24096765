/** What is thrown on purpose. */
export const BROKEN = "broken on purpose";

/** A method of somebody's that throws at its next call, and then does its work again. */
export interface BrokenOnce {
  /** How often it threw. */
  readonly times: () => number;
}

/** Breaks a method of an object for one call. */
export function breakOnce<T extends object>(target: T, method: keyof T & string): BrokenOnce {
  const own = Object.getOwnPropertyDescriptor(target, method);
  let times = 0;
  const value = (): never => {
    times += 1;
    if (own === undefined) Reflect.deleteProperty(target, method);
    else Object.defineProperty(target, method, own);
    throw new Error(BROKEN);
  };
  Object.defineProperty(target, method, { value, configurable: true, writable: true });
  return { times: () => times };
}

/** What would have ended this process since, if it were the server's. */
export function escapedFaults(): Disposable & { readonly faults: readonly unknown[] } {
  const faults: unknown[] = [];
  const note = (fault: unknown): void => {
    faults.push(fault);
  };
  process.on("uncaughtException", note).on("unhandledRejection", note);
  return {
    faults,
    [Symbol.dispose]: () => {
      process.off("uncaughtException", note).off("unhandledRejection", note);
    },
  };
}
