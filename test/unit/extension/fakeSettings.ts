/** The settings of a person in an editor, in memory, and what the editor says in messages. */
export class FakeSettings {
  readonly said: string[] = [];
  /** Settings are written when this is over. */
  slowness: Promise<void> = Promise.resolve();
  /** Why none is written. */
  failure: Error | undefined;
  /** How often one was to be written. */
  updates = 0;
  readonly #values = new Map<string, unknown>();

  get(name: string): unknown {
    return this.#values.get(name);
  }

  set(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  /** What the extension sees of it instead of the module `vscode`. */
  module() {
    return {
      ConfigurationTarget: { Global: 1 },
      window: { showErrorMessage: async (text: string) => void this.said.push(text) },
      workspace: {
        getConfiguration: () => ({
          inspect: (name: string) => ({ globalValue: this.get(name) }),
          update: (name: string, value: unknown) => this.#update(name, value),
        }),
      },
    };
  }

  /** The file is JSON: what is undefined is left out. */
  async #update(name: string, value: unknown): Promise<void> {
    this.updates += 1;
    await this.slowness;
    if (this.failure !== undefined) throw this.failure;
    this.set(name, JSON.parse(JSON.stringify(value)));
  }
}

/** Those of the test that runs. */
export const personSettings = new FakeSettings();
