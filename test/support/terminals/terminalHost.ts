import type { Duplex } from "node:stream";
import { FEATURES, REQUESTS } from "@rport/protocol/agent";
import { encodeFrame, type Frame, FrameReader } from "@rport/protocol/terminal/frame";
import {
  endTerminalSchema,
  type HeldTerminal,
  type HostOpening,
  hostOpeningSchema,
  type TerminalEnd,
  type TerminalId,
} from "@rport/protocol/terminal/terminal";
import type { ChannelDecision } from "@rport/protocol/wire/connection";
import { PeerAgent, type PeerAgentOptions } from "../agents/peerAgent.ts";
import { eventually } from "../eventually.ts";

/** A terminal of the tests' host: its program repeats what is typed. */
export class HostTerminal {
  readonly opening: HostOpening;
  /** How often somebody was attached. */
  attachments = 0;
  /** All frames of viewers. */
  readonly heard: Frame[] = [];
  output = Buffer.alloc(0);
  inputTaken = 0;
  end: TerminalEnd | undefined;
  channel: Duplex | undefined;
  readonly startedAtMs = Date.now();
  /** When it ended, if it did, by the clock of the host. */
  readonly endedAtMs = this.startedAtMs + 1;

  constructor(opening: HostOpening) {
    this.opening = opening;
  }

  /** What the host tells of it. */
  get held(): HeldTerminal {
    const { id, owner, ownerName } = this.opening;
    const ended = this.end && { atMs: this.endedAtMs, end: this.end };
    return { id, owner, ownerName, account: "root", startedAtMs: this.startedAtMs, ended };
  }

  /** Its program writes. */
  print(text: string | Buffer): void {
    const bytes = Buffer.from(text);
    const offset = this.output.length;
    this.output = Buffer.concat([this.output, bytes]);
    this.say({ kind: "output", offset, bytes });
  }

  /** It ends, and tells whoever is attached. */
  finish(end: TerminalEnd): void {
    this.end = end;
    this.say({ kind: "ended", json: Buffer.from(JSON.stringify(end)) });
    this.channel?.end();
  }

  say(frame: Frame): void {
    this.channel?.write(encodeFrame(frame));
  }

  /** Somebody is attached, in the place of whoever was. */
  attach(channel: Duplex, from = 0): void {
    this.channel?.destroy();
    this.channel = channel;
    this.attachments += 1;
    const reader = new FrameReader();
    channel.on("data", (piece: Buffer) => {
      for (const frame of reader.read(piece)) this.#take(frame);
    });
    channel.on("error", () => {});
    channel.once("close", () => {
      if (this.channel === channel) this.channel = undefined;
    });
    this.say({ kind: "attached", json: Buffer.from(JSON.stringify(this.#attached(from))) });
    const bytes = this.output.subarray(from);
    if (bytes.length > 0) this.say({ kind: "output", offset: from, bytes });
    if (this.end !== undefined) this.finish(this.end);
  }

  #attached(outputFrom: number) {
    const { startedAtMs, inputTaken } = this;
    const { id } = this.opening;
    return { id, account: "root", shell: "/bin/sh", startedAtMs, outputFrom, inputTaken };
  }

  #take(frame: Frame): void {
    this.heard.push(frame);
    if (frame.kind === "close") this.finish({ how: "closed" });
    if (frame.kind !== "input") return;
    const fresh = frame.bytes.subarray(Math.max(0, this.inputTaken - frame.offset));
    this.inputTaken += fresh.length;
    this.say({ kind: "inputTaken", offset: this.inputTaken });
    this.print(Buffer.from(fresh));
  }
}

/** What a test decides about its host, beside what it does about an agent. */
export interface TerminalHostOptions
  extends Omit<PeerAgentOptions, "onTerminal" | "introduction" | "onRequest"> {
  readonly introduction?: Readonly<Record<string, unknown>>;
  /** Attaches channels in the place of the host's own way. */
  readonly onAttach?: (terminal: HostTerminal, channel: Duplex) => void;
  /** Told of the terminal that somebody wants to come back to, before that is answered. */
  readonly onResume?: (terminal: HostTerminal) => void;
  /** Text to refuse terminals with. */
  readonly refuses?: string;
  /** Whether it keeps what ended ones wrote, for whoever comes back, as a real agent does. */
  readonly keepsEnded?: boolean;
  /** What it answers when it is asked which ones it has, in the place of what it would. */
  readonly onList?: (usual: Buffer) => Promise<Buffer> | Buffer;
}

/** A host with terminals, on the wire library: what a test's agent has stays when its connection does not. */
export class TerminalHost implements AsyncDisposable {
  readonly terminals = new Map<TerminalId, HostTerminal>();
  /** Everything that was wanted, also what was refused. */
  readonly asked: HostOpening[] = [];
  /** Ends that the server asked for. */
  readonly ends: { readonly id: TerminalId; readonly how: string }[] = [];
  /** Whether it says which terminals it has, or what cannot be read. */
  tellsList = true;
  readonly #options: TerminalHostOptions;
  #agent: PeerAgent | undefined;

  private constructor(options: TerminalHostOptions) {
    this.#options = options;
  }

  /** Signs in, is in, and has said which terminals it has. */
  static async join(options: TerminalHostOptions): Promise<TerminalHost> {
    const host = new TerminalHost(options);
    await host.connect();
    return host;
  }

  get agent(): PeerAgent {
    if (this.#agent === undefined) throw new Error("the host is not connected");
    return this.#agent;
  }

  /** Its line is cut; its terminals stay. */
  async cut(): Promise<void> {
    this.agent.vanish();
    await this.agent.closed;
  }

  /** Comes back, also to another server. */
  async connect(url = this.#options.url): Promise<void> {
    const introduction = {
      Features: Object.values(FEATURES).filter((name) => name !== FEATURES.hostKey),
      Terminal: { state: "on", accounts: ["root", "deploy"] },
      ...this.#options.introduction,
    };
    this.#agent = await PeerAgent.join({
      ...this.#options,
      url,
      introduction,
      onRequest: (name, payload) => this.#answer(name, payload),
      onTerminal: (extra) => this.#decide(extra),
    });
    this.agent.connection.halfClose = introduction.Features.includes(FEATURES.halfClose);
    if (!introduction.Features.includes(FEATURES.terminal)) return;
    await eventually(() => {
      if (this.agent.heardOf(REQUESTS.listTerminals).length === 0) throw new Error("not asked");
    });
  }

  /** The only terminal that it has. */
  get only(): HostTerminal {
    const [one, another] = this.terminals.values();
    if (one === undefined || another !== undefined) throw new Error("there is not one terminal");
    return one;
  }

  /** Tells the server how one ended. */
  async tellEnd(terminal: HostTerminal): Promise<boolean> {
    return (await this.agent.ask(REQUESTS.terminalEnded, terminal.held)).ok;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.[Symbol.asyncDispose]();
  }

  #decide(extra: Buffer): ChannelDecision {
    const { refuses, onAttach, keepsEnded } = this.#options;
    const opening = hostOpeningSchema.parse(JSON.parse(extra.toString("utf8")));
    this.asked.push(opening);
    if (refuses !== undefined) return { refuse: refuses };
    const known = this.terminals.get(opening.id);
    const isKept = known?.end === undefined || keepsEnded === true;
    const isTheirs = known?.opening.owner === opening.owner && isKept;
    if (opening.wish.kind === "resume" && !isTheirs) return { refuse: "no such terminal" };
    if (known !== undefined) this.#options.onResume?.(known);
    const terminal = known ?? new HostTerminal(opening);
    this.terminals.set(opening.id, terminal);
    const from = opening.wish.kind === "resume" ? opening.wish.from : undefined;
    return {
      accept: (channel) =>
        onAttach === undefined ? terminal.attach(channel, from) : onAttach(terminal, channel),
    };
  }

  #answer(name: string, payload: Buffer): Promise<Buffer> | Buffer | undefined {
    if (name === REQUESTS.listTerminals) {
      if (!this.tellsList) return Buffer.from("none of your business");
      const terminals = [...this.terminals.values()].map(({ held }) => held);
      const usual = Buffer.from(JSON.stringify({ terminals }));
      return this.#options.onList?.(usual) ?? usual;
    }
    if (name !== REQUESTS.endTerminal) return undefined;
    const { id: asked, how } = endTerminalSchema.parse(JSON.parse(payload.toString("utf8")));
    for (const [id, terminal] of this.terminals) {
      if ((asked !== undefined && asked !== id) || terminal.end !== undefined) continue;
      this.ends.push({ id, how });
      terminal.finish({ how });
      void this.tellEnd(terminal).catch(() => {});
    }
    return Buffer.from("{}");
  }
}
