import { CliFailure, EXIT } from "../cli/cliFailure.ts";
import type { Account } from "../machine/account.ts";
import type { Place } from "../machine/place.ts";
import type { Installing } from "../machine/platform.ts";
import type { Service, Supervisor } from "../machine/supervisor.ts";

/** What keeps, or may keep, an agent of one place running. */
export class Supervision {
  readonly #place: Place;
  readonly #installing: Installing;
  readonly #hasService: boolean;
  readonly #service: Service | undefined;

  private constructor(place: Place, installing: Installing, parts: SupervisionParts) {
    this.#place = place;
    this.#installing = installing;
    this.#hasService = parts.hasService;
    this.#service = parts.service;
  }

  /** Looks at what runs this machine. With `hasService` the agent is meant to be a service of that. */
  static async of(place: Place, installing: Installing, hasService: boolean): Promise<Supervision> {
    const service = await installing.service(place);
    const supervision = new Supervision(place, installing, { hasService, service });
    if (!hasService || place.layout.kind === "system") return supervision;
    // What began without a service in a prefix goes on so, until it is uninstalled.
    const isWithout = await supervision.#background(undefined).isInstalled();
    return isWithout ? Supervision.of(place, installing, false) : supervision;
  }

  /** The supervisor that is asked for; without an account it can be asked, but starts nothing. */
  wanted(account: Account | undefined): Supervisor {
    return (this.#hasService ? this.#service : undefined) ?? this.#background(account);
  }

  /** All that may keep an agent of this place running. */
  all(): readonly Supervisor[] {
    const service = this.#service === undefined ? [] : [this.#service];
    return [...service, this.#background(undefined)];
  }

  /** The account that runs the agent as it is installed, or the one that is made for it. */
  async user(): Promise<string> {
    return (await this.#service?.account()) ?? this.#installing.accounts.defaultName;
  }

  /** Rejects with a `CliFailure` when an agent cannot be installed like this. Changes nothing. */
  async assertInstallable(): Promise<void> {
    const { user, layout } = this.#place;
    const whyNot = user === undefined ? undefined : this.#installing.accounts.whyNot(user);
    if (whyNot !== undefined) throw new CliFailure(EXIT.usage, whyNot);
    await this.#assertNoOther();
    if (!this.#hasService) return;
    if (this.#service === undefined) {
      if (layout.kind === "prefix") return;
      const sentence = `This machine is run by none of ${this.#installing.serviceManagers}.`;
      throw new CliFailure(EXIT.offline, `${sentence} Use --no-service, and start it yourself.`);
    }
    const obstacle = this.#service.obstacle();
    if (obstacle !== undefined) throw new CliFailure(EXIT.unsupported, obstacle);
  }

  /** RPort's own client as a service, whose place this installation takes; else undefined. */
  async predecessor(): Promise<Service | undefined> {
    const service = this.#hasService ? this.#service : undefined;
    return (await service?.hasPredecessor()) === true ? service : undefined;
  }

  /** The commands that bring RPort's own client back, if this machine's service manager knows any. */
  wayBack(): readonly string[] {
    return this.#service?.wayBack() ?? [];
  }

  /**
   * Rejects with a `CliFailure` where the system-wide places belong to another program, which has
   * its own `rport.conf` and state there.
   */
  async assertRemovable(): Promise<void> {
    if (this.#place.layout.kind === "prefix") return;
    if (await this.#background(undefined).isInstalled()) return;
    const isClient = (await this.#service?.hasPredecessor()) === true;
    if (isClient) throw new CliFailure(EXIT.failed, "RPort's own client is not removed by this.");
    await this.#assertOwn();
  }

  async #assertNoOther(): Promise<void> {
    await this.#assertOwn();
    const other = this.#hasService ? this.#background(undefined) : this.#service;
    if (other === undefined || !(await other.isInstalled())) return;
    const how = this.#hasService ? "without a service" : "as a service";
    throw new CliFailure(EXIT.usage, `The agent is installed ${how}. Uninstall that first.`);
  }

  async #assertOwn(): Promise<void> {
    const service = this.#service;
    if (service === undefined) return;
    if (!this.#hasService && (await service.hasPredecessor())) {
      const sentence = `${service.title} is RPort's own client.`;
      throw new CliFailure(
        EXIT.failed,
        `${sentence} Its place is taken without --no-service only.`,
      );
    }
    if (!(await service.isForeign())) return;
    const sentence = `${service.title} belongs to another program, perhaps another build of RPort's client.`;
    throw new CliFailure(EXIT.failed, `${sentence} Remove that first.`);
  }

  #background(account: Account | undefined): Supervisor {
    return this.#installing.background(this.#place, { account });
  }
}

interface SupervisionParts {
  readonly hasService: boolean;
  readonly service: Service | undefined;
}
