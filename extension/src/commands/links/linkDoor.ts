import { t } from "@vscode/l10n";
import { type Uri, type UriHandler, window, workspace } from "vscode";
import { type Link, linkFacts, parseLink } from "../../links/link.ts";
import { describeError } from "../../support/describeError.ts";
import type { Log } from "../../support/log.ts";
import { confirm } from "../confirm.ts";
import { type LinkDeps, type Plan, planOf } from "./linkPlan.ts";

/** What taking links needs. */
export interface LinkDoorDeps extends LinkDeps {
  readonly log: Log;
}

/** In a folder that is not trusted, links show what is there, and nothing else. */
const HARMLESS: ReadonlySet<Link["route"]> = new Set(["/client"]);

/**
 * Takes links from outside, one at a time: anybody may have written them, so nothing happens before
 * somebody has said yes to what is shown of it, and what is wrong with one is said.
 */
export class LinkDoor implements UriHandler {
  readonly #deps: LinkDoorDeps;
  #isBusy = false;

  constructor(deps: LinkDoorDeps) {
    this.#deps = deps;
  }

  /** Called by the editor. Never rejects. */
  async handleUri(uri: Uri): Promise<void> {
    const { log } = this.#deps;
    log.info("link", { ...linkFacts(uri), busy: this.#isBusy });
    try {
      const plan = await this.#confirmed(uri);
      // outside: a dialog of many steps may stay open for long
      await plan?.run();
    } catch (error) {
      const message = describeError(error);
      log.error("link failed", { message });
      void window.showErrorMessage(message);
    }
  }

  async #confirmed(uri: Uri): Promise<Plan | undefined> {
    if (this.#isBusy) return refuse(t("Another link waits for an answer."));
    this.#isBusy = true;
    try {
      const plan = await this.#planOf(uri);
      return plan !== undefined && (await isMeant(plan)) ? plan : undefined;
    } finally {
      this.#isBusy = false;
    }
  }

  /** What the link would do; undefined: nothing, which was said. */
  async #planOf(uri: Uri): Promise<Plan | undefined> {
    const parsed = parseLink(uri);
    if ("why" in parsed) return refuse(parsed.why);
    const { link } = parsed;
    if (!workspace.isTrusted && !HARMLESS.has(link.route)) return refuse(restricted());
    const plan = await planOf(link, this.#deps);
    return "why" in plan ? refuse(plan.why) : plan;
  }
}

const restricted = () =>
  t("This window is in Restricted Mode, where links only show clients. Open it in another window.");

async function isMeant({ question, lines, button }: Plan): Promise<boolean> {
  const note = t("A link asks for this. Go on only if you know who made it.");
  const answer = await confirm({
    question,
    lines: [...lines, note],
    button,
    isHarmless: true,
  });
  return answer === "act";
}

function refuse(why: string): undefined {
  void window.showErrorMessage(t("This link cannot be followed."), { modal: true, detail: why });
}
