/**
 * What a child process can be asked, by name; inputs and answers travel as JSON. Each handler has an
 * input type of its own, which `Program` holds its callers to.
 */
export type Handlers = Readonly<Record<string, (input: never) => unknown>>;

/** A question to a child. */
export interface Ask {
  readonly ask: number;
  readonly name: string;
  readonly input: unknown;
}

/** Its answer. */
export type Answer =
  | { readonly answer: number; readonly value: unknown }
  | { readonly answer: number; readonly error: string };

/** The first message of a child: it can be asked from now on. */
export interface Ready {
  readonly ready: unknown;
}

/** Answers the parent's questions, and ends this process with its parent. */
export function serve(handlers: Handlers, ready: unknown = {}): void {
  process.on("message", (message: Ask) => {
    if (typeof message.ask === "number") void answer(message, handlers);
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ ready } satisfies Ready);
}

async function answer({ ask, name, input }: Ask, handlers: Handlers): Promise<void> {
  try {
    const value = await handlers[name]?.(input as never);
    process.send?.({ answer: ask, value } satisfies Answer);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.send?.({ answer: ask, error: text } satisfies Answer);
  }
}

/** Milliseconds on a clock that all processes of this machine share and that never goes back. */
export function sharedNowMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
