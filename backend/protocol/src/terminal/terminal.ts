import { z } from "zod";
import { withoutDeceptive } from "../deceptive.ts";

/**
 * What bounds one terminal, on every stretch of its way. Output that nobody has confirmed and input
 * that the host has not confirmed are never more than a window, so each side knows what it may hold.
 */
export const TERMINAL = {
  /** Output that the viewer has not confirmed; the program on the host waits beyond it. */
  outputWindowBytes: 256 << 10,
  /** Output that a host keeps of each terminal, to show it to whoever comes back: all that is unconfirmed, at least. */
  keptBytes: 256 << 10,
  /** Input that the host has not confirmed; the rest of a long paste waits in the editor. */
  inputWindowBytes: 64 << 10,
  /** How long a host keeps a terminal that nobody is attached to. */
  keepMs: 5 * 60_000,
  /** Columns or rows. */
  sizeMax: 1_000,
  /** Longest opening, as JSON. */
  openingBytes: 4 << 10,
} as const;

/** The type of channel the backend opens for each viewer of a terminal; what it says with it is a `HostOpening`. */
export const TERMINAL_CHANNEL = "rport-terminal";

/** 16 bytes in base64url, which nobody guesses: whoever has it still has to be its owner. */
export const terminalIdSchema = z
  .string()
  .regex(/^[0-9A-Za-z_-]{22}$/)
  .brand<"TerminalId">();

/** What a terminal is called, as long as it lives. */
export type TerminalId = z.infer<typeof terminalIdSchema>;

/** An account of the host, as its system writes it. */
export const accountSchema = z
  .string()
  .min(1)
  .max(256)
  .refine((name) => withoutDeceptive(name) === name, "An account has no invisible characters.");

const sizeSchema = z.object({
  cols: z.number().int().min(1).max(TERMINAL.sizeMax),
  rows: z.number().int().min(1).max(TERMINAL.sizeMax),
});

/** How large a terminal is, in characters. */
export type TerminalSize = z.infer<typeof sizeSchema>;

/** No terminal comes near it, and frames, whose offsets have six bytes, reach as far beyond it again. */
const LATEST_OFFSET = 2 ** 47;
const offset = z.number().int().nonnegative().max(LATEST_OFFSET);
/** The last millisecond of the year 9999: of anything later no date can be written. */
const LATEST_MS = 253_402_300_799_999;
/** Since the epoch. */
const moment = z.number().int().min(0).max(LATEST_MS);
/** A value of the environment: what a viewer can show, and the language of its people. */
const environment = z.string().regex(/^[0-9A-Za-z_.:@+-]{1,64}$/);

/** What a shell proves its marks with to whoever asked for them; programs in it are not told. */
export const nonceSchema = z.string().regex(/^[0-9A-Za-z_-]{22,64}$/);

/** A new shell, or one that is there. */
const wishSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("new"),
    /** Undefined: the one that the host's configuration names first. */
    account: accountSchema.optional(),
    /** Where its shell begins; undefined: at home. */
    cwd: z.string().min(1).max(1_024).optional(),
    env: z
      .object({
        TERM: environment.default("xterm-256color"),
        COLORTERM: environment.optional(),
        LANG: environment.optional(),
      })
      .default({ TERM: "xterm-256color" }),
    /** The shell is to mark its prompts and commands (OSC 633), those that it ran with this; undefined: no marks. */
    marks: z.object({ nonce: nonceSchema }).optional(),
  }),
  z.object({
    kind: z.literal("resume"),
    id: terminalIdSchema,
    /** Output comes from this byte on; undefined: all that is kept. */
    from: offset.optional(),
  }),
]);

/** A new shell, or one that is there. */
export type TerminalWish = z.infer<typeof wishSchema>;

/** The first frame of an editor (`open`): how large it is, and what it wants. */
export const viewerOpeningSchema = z.object({ size: sizeSchema, wish: wishSchema });

/** The first frame of an editor. */
export type ViewerOpening = z.infer<typeof viewerOpeningSchema>;

/** What the backend says with the opening of a channel. A host gives a terminal back to its owner alone. */
export const hostOpeningSchema = z.object({
  /** Of the terminal that is begun or resumed. */
  id: terminalIdSchema,
  /** Of the account that asks; it outlives a change of name. */
  owner: z.string().min(1).max(128),
  /** What people read, also in the host's log. */
  ownerName: z.string().min(1).max(256),
  size: sizeSchema,
  wish: wishSchema,
});

/** What the backend says with the opening of a channel. */
export type HostOpening = z.infer<typeof hostOpeningSchema>;

/** Answer of a host to whoever has attached (`attached`), before anything else. */
export const attachedSchema = z.object({
  id: terminalIdSchema,
  account: accountSchema,
  /** Path of the program that runs in it. */
  shell: z.string().max(1_024),
  startedAtMs: moment,
  /** Number of the first byte of output that comes now; larger than asked for where that is gone. */
  outputFrom: offset,
  /**
   * Output before it was there when the viewer attached: what programs ask the terminal for in it was
   * answered, or came to nothing, so whoever is shown all that is kept must not answer it again.
   */
  liveFrom: offset.optional(),
  /** How many bytes of input the terminal has taken since it began: who was cut off sends the rest. */
  inputTaken: offset,
  /** Whether the server records what it shows: the server's word, whatever the host says. */
  recorded: z.boolean().optional(),
});

/** Answer of a host to whoever has attached. */
export type Attached = z.infer<typeof attachedSchema>;

/** As systems call it (`SIGTERM`, `SIGRTMIN+3`); of anything else nothing is taken. */
const signalName = z
  .string()
  .regex(/^[A-Z0-9+-]{1,32}$/)
  .optional()
  .catch(undefined);

/**
 * How a terminal ended: its program did, with a code or by a signal; nobody used it, or nobody came
 * back; its owner, an administrator or the loss of a right ended it; the agent stopped; it could
 * not go on.
 */
export const terminalEndSchema = z.object({
  how: z.enum(["exit", "signal", "idle", "left", "closed", "forbidden", "stopped", "failed"]),
  code: z.number().int().min(0).max(0xffff_ffff).optional(),
  signal: signalName,
  /** Why it could not go on, for people. */
  text: z.string().max(500).transform(withoutDeceptive).optional(),
});

/** How a terminal ended. */
export type TerminalEnd = z.infer<typeof terminalEndSchema>;

/** Signals that a viewer may send to the program that runs in front. */
export const terminalSignalSchema = z.enum(["INT", "QUIT", "TERM", "HUP", "KILL", "TSTP", "CONT"]);

/** A signal that a viewer may send. */
export type TerminalSignal = z.infer<typeof terminalSignalSchema>;

/** Most terminals of one host, with those whose end nobody was told of. */
export const HELD_TERMINALS_MAX = 64;

/**
 * What an agent says of terminals while it registers (`Terminal` of `new_connection`): that they are
 * allowed, as whom and how many, or why there are none: nobody allowed them, there is no way in which this agent
 * runs (a Node that would lose output, or what it needs is missing), none of the accounts is there that
 * they are allowed as, or none can be on this system.
 */
export const terminalOfferSchema = z.discriminatedUnion("state", [
  z.object({
    state: z.literal("on"),
    accounts: z.array(accountSchema).min(1).max(16),
    /** How many it has at once; undefined: not known, as of agents of before. */
    max: z.number().int().min(1).max(HELD_TERMINALS_MAX).optional().catch(undefined),
  }),
  z.object({ state: z.enum(["off", "runtime", "accounts", "system"]) }),
]);

/** What an agent says of terminals. */
export type TerminalOffer = z.infer<typeof terminalOfferSchema>;

/** A terminal that a host has, or had and nobody was told the end of. */
export const heldTerminalSchema = z.object({
  id: terminalIdSchema,
  owner: z.string().min(1).max(128),
  ownerName: z.string().min(1).max(256),
  account: accountSchema,
  startedAtMs: moment,
  /** Undefined: it is there. */
  ended: z.object({ atMs: moment, end: terminalEndSchema }).optional(),
});

/** A terminal that a host has, or had and nobody was told the end of. */
export type HeldTerminal = z.infer<typeof heldTerminalSchema>;

/** Asks an agent which terminals it has. */
export const askTerminalsSchema = z.object({});
/** The answer; the ends in it are told when it was received. */
export const heldTerminalsSchema = z.object({
  terminals: z.array(heldTerminalSchema).max(HELD_TERMINALS_MAX),
});

/**
 * Ends a terminal of an agent. One that it does not have is no error: it has ended. Without an id all of
 * them end: of several requests before a connection is cut an agent may come to the first one only.
 */
export const endTerminalSchema = z.object({
  id: terminalIdSchema.optional(),
  how: z.enum(["closed", "forbidden"]),
});
