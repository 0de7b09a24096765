import { commands } from "vscode";
import { CONTEXT_KEYS, type ContextKey } from "../manifest.ts";
import type { ContextValues } from "./context.ts";

/** The only place that sets context keys; it sends those that changed. */
export class ContextKeys {
  readonly #sent = new Map<ContextKey, boolean>();

  /** Makes these the values. */
  update(values: ContextValues): void {
    for (const [key, value] of Object.entries(values) as [ContextKey, boolean][]) {
      if (this.#sent.get(key) === value) continue;
      this.#sent.set(key, value);
      void commands.executeCommand("setContext", CONTEXT_KEYS[key], value);
    }
  }
}
