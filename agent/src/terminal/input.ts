import { FrameError } from "@rport/protocol/terminal/frame";
import { TERMINAL } from "@rport/protocol/terminal/terminal";
import { Gathered } from "@rport/protocol/wire/gathered";
import { WRITE_BYTES } from "./pty.ts";

/** Where input goes. */
export interface InputDeps {
  /** Gives at most `WRITE_BYTES` to the program; `taken` is called when it has them. */
  write(bytes: Buffer): void;
  /** Throws away what the program was given and has not read; whether that worked. Never rejects. */
  throwAway(): Promise<boolean>;
  /** The program may not see these urgent bytes, because they are behind something all the same. */
  onStuck(bytes: Buffer): void;
  /** All input before this byte was given to the program, or thrown away. */
  onTaken(offset: number): void;
}

/** The input of one terminal: each byte has a number, and is given to the program once. */
export class Input {
  readonly #deps: InputDeps;
  #waiting = new Gathered();
  /** The rest of a block of what waits: it goes first. */
  #rest: Buffer | undefined;
  /** All before it came. */
  #received = 0;
  /** All before it was given away, if not taken yet. */
  #given = 0;
  #isBusy = false;
  /** What was given is being thrown away: nothing is given meanwhile. */
  #isClearing = false;
  /** The newest that goes to a program that has nothing before it, until it is given. */
  #urgent: Buffer | undefined;

  constructor(deps: InputDeps) {
    this.#deps = deps;
  }

  /** A viewer begins: it says again what is not given yet. The answer is the number it begins with. */
  begin(): number {
    this.#forget();
    this.#received = this.#given;
    return this.#given;
  }

  /** Input that begins with this number; what is known already is not given twice. Throws a `FrameError`. */
  add(offset: number, bytes: Buffer): void {
    if (offset > this.#received) throw new FrameError("input is missing");
    const news = bytes.subarray(this.#received - offset);
    if (this.#received + news.length - this.#given > TERMINAL.inputWindowBytes) {
      throw new FrameError("more input than allowed");
    }
    this.#push(news);
  }

  /**
   * The same before all that waits, here and in the terminal, which is thrown away: once at a time, however
   * much of this comes meanwhile, of which the newest is given. Throws a `FrameError`.
   */
  addUrgent(offset: number, bytes: Buffer): void {
    const news = bytes.subarray(Math.max(0, this.#received - offset));
    if (news.length === 0) return;
    if (offset + bytes.length - this.#given > TERMINAL.inputWindowBytes) {
      throw new FrameError("more input than allowed");
    }
    this.#forget();
    this.#received = Math.max(this.#received, offset);
    this.#given = this.#received;
    this.#urgent = Buffer.from(news);
    if (this.#isBusy && !this.#isClearing) void this.#clear();
    this.#push(news);
  }

  /** The program has what it was given. */
  taken(): void {
    if (!this.#isBusy) return;
    this.#isBusy = false;
    this.#deps.onTaken(this.#given);
    this.#give();
  }

  #push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#received += bytes.length;
    this.#waiting.add(Buffer.from(bytes));
    this.#give();
  }

  #give(): void {
    if (this.#isBusy || this.#isClearing) return;
    // What was on its way to the terminal may have come there since.
    if (this.#urgent === undefined) this.#write();
    else void this.#clear();
  }

  #write(): void {
    const bytes = this.#next();
    if (bytes === undefined) return;
    this.#isBusy = true;
    this.#given += bytes.length;
    this.#deps.write(bytes);
  }

  /** Makes room for what is urgent, and gives it unless what was given before is not taken all the same. */
  async #clear(): Promise<void> {
    const wasBusy = this.#isBusy;
    this.#isClearing = true;
    const isEmptied = await this.#deps.throwAway();
    this.#isClearing = false;
    if (!wasBusy) {
      this.#urgent = undefined;
      this.#write();
      return;
    }
    if (!isEmptied && this.#urgent !== undefined) this.#deps.onStuck(this.#urgent);
    this.#give();
  }

  /** The oldest that waits, as much as may be written at once. */
  #next(): Buffer | undefined {
    const block = this.#rest ?? this.#waiting.take();
    if (block === undefined) return undefined;
    this.#rest = block.length > WRITE_BYTES ? block.subarray(WRITE_BYTES) : undefined;
    return block.subarray(0, WRITE_BYTES);
  }

  #forget(): void {
    this.#urgent = undefined;
    this.#waiting = new Gathered();
    this.#rest = undefined;
  }
}
