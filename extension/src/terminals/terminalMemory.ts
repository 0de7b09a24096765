import { accountSchema, nonceSchema, terminalIdSchema } from "@rport/protocol/terminal/terminal";
import type { Memento } from "vscode";
import { z } from "zod";

/** Where the terminals of this window are kept. */
const OPEN_KEY = "terminals.open";
/** Where it is kept as whom terminals were opened last, by server and client. */
const ACCOUNTS_KEY = "terminals.accounts";
/** Most of each. */
const OPEN_MAX = 64;
const ACCOUNTS_MAX = 500;

const key = z.string().max(2_048);

const openSchema = z.object({
  serverKey: key,
  clientId: z.string().max(256),
  id: terminalIdSchema,
  name: z.string().max(512),
  /** Undefined: the one that the host names first. */
  account: accountSchema.optional(),
  /** What its shell proves its marks with; it is of no use anywhere else. */
  nonce: nonceSchema.optional(),
});

/** A terminal of this window, by which it is found again at its host. It is no secret: a host gives it to its owner alone. */
export type OpenTerminal = z.infer<typeof openSchema>;

/** As whom one of a server's clients was opened. */
const openedAsSchema = z.tuple([key, key, accountSchema]);

/** What is remembered of terminals: those of this window, and as whom they are opened. */
export class TerminalMemory {
  readonly #workspace: Pick<Memento, "get" | "update">;
  readonly #global: Pick<Memento, "get" | "update">;
  #open: readonly OpenTerminal[];
  #written: Promise<void> = Promise.resolve();

  /** @param workspace of this window, @param global of all */
  constructor(workspace: Pick<Memento, "get" | "update">, global: Pick<Memento, "get" | "update">) {
    this.#workspace = workspace;
    this.#global = global;
    this.#open = usable(workspace.get(OPEN_KEY), openSchema).slice(-OPEN_MAX);
  }

  /** Those that were open, the oldest first. */
  get open(): readonly OpenTerminal[] {
    return this.#open;
  }

  /** Resolves when everything is written. */
  get written(): Promise<void> {
    return this.#written;
  }

  /** One is open from now on. Answers with those that are not found again for it, because they are too many. */
  keep(terminal: OpenTerminal): readonly OpenTerminal[] {
    const others = this.#open.filter(({ id }) => id !== terminal.id);
    const all = [...others, terminal];
    this.#keep(all.slice(-OPEN_MAX));
    return all.slice(0, -OPEN_MAX);
  }

  /** It is not, or not of this window, any more. */
  forget(id: OpenTerminal["id"]): void {
    if (this.#open.some((each) => each.id === id)) {
      this.#keep(this.#open.filter((each) => each.id !== id));
    }
  }

  /** As whom a terminal of this host was opened last. */
  accountOf(serverKey: string, clientId: string): string | undefined {
    return this.#accounts().find(
      ([server, client]) => server === serverKey && client === clientId,
    )?.[2];
  }

  /** It was opened as this one. */
  keepAccount(serverKey: string, clientId: string, account: string): void {
    const others = this.#accounts().filter(
      ([server, client]) => server !== serverKey || client !== clientId,
    );
    const all = [...others, [serverKey, clientId, account]].slice(-ACCOUNTS_MAX);
    void this.#global.update(ACCOUNTS_KEY, all);
  }

  #accounts() {
    return usable(this.#global.get(ACCOUNTS_KEY), openedAsSchema).slice(-ACCOUNTS_MAX);
  }

  #keep(open: readonly OpenTerminal[]): void {
    this.#open = open;
    this.#written = Promise.resolve(this.#workspace.update(OPEN_KEY, open)).catch(() => undefined);
  }
}

/** What of a list can be used: one entry that cannot does not take the others with it. */
function usable<T>(list: unknown, schema: z.ZodType<T>): readonly T[] {
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  return entries.flatMap((entry) => {
    const { data } = schema.safeParse(entry);
    return data === undefined ? [] : [data];
  });
}
