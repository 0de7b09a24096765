import type { Login } from "../bench/backend.ts";
import type { Scene } from "./scene.ts";
import { ChaosSwarm } from "./swarms.ts";
import { type Testimony, Witness } from "./witness.ts";

/** Lanes that change credentials all the time. */
const LANES = 3;
/** Between two rounds of the load, after a call failed. */
const AGAIN_MS = 200;

/**
 * What goes on during one fault: credentials are changed, tunnels are used, one credential is to be
 * deleted, and some agents want to come in for the first time.
 */
export class Meanwhile implements AsyncDisposable {
  /** Agents whose credential is deleted during the fault. */
  readonly doomed: ChaosSwarm;
  /** Agents that come during the fault. */
  readonly newcomers: ChaosSwarm;
  readonly #scene: Scene;
  readonly #scope: AsyncDisposableStack;
  readonly #stop = new AbortController();
  readonly #witnesses: readonly Witness[];
  readonly #working: Promise<void>;

  private constructor(
    scene: Scene,
    swarms: { readonly doomed: ChaosSwarm; readonly newcomers: ChaosSwarm },
    scope: AsyncDisposableStack,
  ) {
    this.#scene = scene;
    this.doomed = swarms.doomed;
    this.newcomers = swarms.newcomers;
    this.#scope = scope;
    this.#witnesses = scene.tunnels.map((port) => new Witness(port));
    this.#working = this.#work();
  }

  /** Starts everything for the fault of this name; the newcomers wait until they are told. */
  static async begin(scene: Scene, name: string): Promise<Meanwhile> {
    await using opened = new AsyncDisposableStack();
    const start = async (id: string) =>
      opened.use(await ChaosSwarm.start(await scene.server.createLogin(id)));
    const doomed = await start(`doomed-${name}`);
    const { doomed: count } = scene.sizes;
    await doomed.add(scene.nearPlace, scene.numbersFor(count), count);
    const newcomers = await start(`late-${name}`);
    return new Meanwhile(scene, { doomed, newcomers }, opened.move());
  }

  /** What the doomed agents sign in with. */
  get login(): Login {
    return this.doomed.login;
  }

  /** From now on new agents want to come in; they try until they are. */
  letNewcomersTry(): void {
    if (this.newcomers.count > 0) return;
    const { late } = this.#scene.sizes;
    const coming = this.newcomers.add(this.#scene.nearPlace, this.#scene.numbersFor(late), late);
    coming.catch(() => undefined);
  }

  /** Stops what people do, with what those at the tunnels met with. The agents stay. */
  async settle(): Promise<readonly Testimony[]> {
    this.#stop.abort();
    await this.#working;
    return Promise.all(this.#witnesses.map((witness) => witness.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    // After a fault that went wrong nobody has asked for their testimony, and nobody waits for it.
    for (const witness of this.#witnesses) void witness.stop();
    await this.#scope.disposeAsync();
  }

  async #work(): Promise<void> {
    const { load, server } = this.#scene;
    while (!this.#stop.signal.aborted) {
      await load.run(server.calls, LANES, this.#stop.signal);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
