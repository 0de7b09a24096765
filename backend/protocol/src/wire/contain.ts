import { EventEmitter } from "node:events";

/** Told what a callback threw. It ends what the callback belongs to, and throws nothing itself. */
export type OnFault = (error: unknown) => void;

/**
 * Keeps what the listeners of an emitter throw with that emitter: it goes to `onFault` and no
 * further, also an `error` that nobody listens for. Whatever Node or a library calls by itself would
 * end the process otherwise. Listeners behind the one that threw do not hear of that event.
 */
export function contain(emitter: EventEmitter, onFault: OnFault): void {
  const { emit } = emitter;
  emitter.emit = (...event: Parameters<EventEmitter["emit"]>): boolean => {
    try {
      return emit.apply(emitter, event);
    } catch (error) {
      onFault(error);
      return true;
    }
  };
}

/**
 * The same for any number of emitters with one handler, which is told whose listener threw: of a
 * thousand connections nothing more is kept than of one.
 */
export function containing<E extends EventEmitter>(
  onFault: (error: unknown, emitter: E) => void,
): (emitter: E) => void {
  const { emit } = EventEmitter.prototype;
  function contained(this: E, ...event: Parameters<EventEmitter["emit"]>): boolean {
    try {
      return emit.apply(this, event);
    } catch (error) {
      onFault(error, this);
      return true;
    }
  }
  return (emitter) => {
    // One that emits in its own way goes on doing that.
    if (emitter.emit === emit) emitter.emit = contained;
    else contain(emitter, (error) => onFault(error, emitter));
  };
}

/**
 * A callback for whoever is not an emitter: a turn of the event loop, a timer, a promise, a library.
 * What it throws, and what its promise is rejected with, goes to `onFault` and no further.
 */
export function guarded<A extends readonly unknown[]>(
  onFault: OnFault,
  run: (...args: A) => unknown,
): (...args: A) => void {
  return (...args) => {
    try {
      const outcome = run(...args);
      if (outcome instanceof Promise) outcome.catch(onFault);
    } catch (error) {
      onFault(error);
    }
  };
}
