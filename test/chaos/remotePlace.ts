import { execFileSync } from "node:child_process";

/** The two ends of the cable: addresses for tests of networks (RFC 2544). */
const NEAR = "198.18.77.1";
const FAR = "198.18.77.2";
/** The smallest packets that IPv4 promises. */
const SMALLEST_MTU = 576;
/** Bytes that wait at a narrow place, and for how long at most. */
const BURST = "16kb";
const LATENCY = "2s";

const call = (program: string, args: readonly string[], input = "") =>
  execFileSync(program, [...args], { input, stdio: ["pipe", "pipe", "pipe"] });

/**
 * A network namespace, joined to this machine by a cable that can lose packets and be narrow. Needs
 * root, `ip`, `tc` and `nft`. The kernel's own delay (netem) is in few kernels, so it is not used.
 */
export class RemotePlace implements Disposable {
  /** Where programs in there reach this machine. */
  readonly host = NEAR;
  readonly #name: string;
  readonly #cable: string;

  private constructor(name: string, cable: string) {
    this.#name = name;
    this.#cable = cable;
  }

  /** Throws where this machine does not allow it. */
  static make(): RemotePlace {
    const place = new RemotePlace(`rport-chaos-${process.pid}`, `rc${process.pid}`);
    call("ip", ["netns", "add", place.#name]);
    try {
      place.#joinUp();
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
    return place;
  }

  /** The words before a command that make it run in there. */
  get prefix(): readonly [string, ...string[]] {
    return ["ip", "netns", "exec", this.#name];
  }

  /** From now on so many of a hundred packets are lost, each way. */
  lose(percent: number): void {
    const drop = `numgen random mod 1000 < ${Math.round(percent * 10)} drop`;
    const chain = (hook: string) =>
      `chain ${hook} { type filter hook ${hook} priority 0; policy accept;\n${drop}\n}\n`;
    const rules = percent === 0 ? "" : `table inet chaos {\n${chain("input")}${chain("output")}}\n`;
    this.#in("nft", ["-f", "-"], `flush ruleset\n${rules}`);
  }

  /** From now on so many kilobits pass in a second, in small packets; undefined: as many as can. */
  narrow(kilobits: number | undefined): void {
    const mtu = kilobits === undefined ? 1_500 : SMALLEST_MTU;
    this.#in("ip", ["link", "set", "far", "mtu", String(mtu)]);
    if (kilobits === undefined) this.#in("tc", ["qdisc", "del", "dev", "far", "root"]);
    else {
      const rate = ["tbf", "rate", `${kilobits}kbit`, "burst", BURST, "latency", LATENCY];
      this.#in("tc", ["qdisc", "replace", "dev", "far", "root", ...rate]);
    }
  }

  [Symbol.dispose](): void {
    call("ip", ["netns", "del", this.#name]);
  }

  #joinUp(): void {
    const far = ["peer", "name", "far", "netns", this.#name];
    call("ip", ["link", "add", this.#cable, "type", "veth", ...far]);
    call("ip", ["address", "add", `${NEAR}/30`, "dev", this.#cable]);
    call("ip", ["link", "set", this.#cable, "up"]);
    this.#in("ip", ["address", "add", `${FAR}/30`, "dev", "far"]);
    for (const device of ["far", "lo"]) this.#in("ip", ["link", "set", device, "up"]);
    this.lose(1);
    this.narrow(1_000);
    this.lose(0);
    this.narrow(undefined);
  }

  #in(program: string, args: readonly string[], input = ""): void {
    const [ip, ...words] = this.prefix;
    call(ip, [...words, program, ...args], input);
  }
}
