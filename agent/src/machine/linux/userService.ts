import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { ACCOUNT_NAME } from "../account.ts";
import type { Place } from "../place.ts";
import { type Changing, ensureDirectory, isPresent, removeIfEmpty } from "../placing.ts";
import type { Programs } from "../programs.ts";
import { runCommand } from "../self.ts";
import { SystemdService } from "./systemd.ts";
import { isQuotable, renderUserUnit } from "./userUnit.ts";

const LINGERING = "/var/lib/systemd/linger";
/** The line of a unit whose user lingers because of it. */
const LINGER_MARK = "# Lingering was allowed for it.";
const MADE = /^# Made for it: (.+)$/gm;

/** Whose service it would be. */
export interface UserFacts {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

/** The one who calls. */
export function callingUser(): UserFacts {
  const { username, uid, homedir } = os.userInfo();
  return { name: username, uid, home: homedir };
}

/**
 * The agent of a prefix as a service of the one who installs, when that user has a systemd of its
 * own that answers, or had one when the service was set up; else undefined.
 */
export async function userService(
  place: Place,
  programs: Programs,
  user = callingUser(),
): Promise<SystemdService | undefined> {
  const command = runCommand(place.layout, place.self);
  if (!command.every(isQuotable) || !ACCOUNT_NAME.test(user.name)) return undefined;
  const unit = new UserUnit(place, { programs, user });
  return (await unit.isPossible()) ? unit.service() : undefined;
}

class UserUnit {
  readonly #place: Place;
  readonly #programs: Programs;
  readonly #user: UserFacts;
  readonly #name: string;
  readonly #file: string;
  readonly #systemctl: readonly [string, ...string[]];
  #hasAllowedLingering = false;
  #made: readonly string[] = [];

  constructor(
    place: Place,
    { programs, user }: { readonly programs: Programs; readonly user: UserFacts },
  ) {
    this.#place = place;
    this.#programs = programs;
    this.#user = user;
    // Somebody may have several prefixes.
    const prefix = dirname(place.layout.config);
    const hash = createHash("sha256").update(prefix).digest("hex").slice(0, 8);
    this.#name = `rport-${hash}.service`;
    this.#file = join(user.home, ".config/systemd/user", this.#name);
    // Whoever came by su or sudo has no such variable.
    const runtime = `XDG_RUNTIME_DIR=/run/user/${user.uid}`;
    this.#systemctl = ["env", runtime, "systemctl", "--user"];
  }

  /** A unit that is there is told even when nobody answers: else it would be forgotten. */
  async isPossible(): Promise<boolean> {
    if (await isPresent(this.#file)) return true;
    const [program, ...words] = this.#systemctl;
    const asked = await this.#programs.run(program, [...words, "show", "--property=Version"]);
    return asked.code === 0;
  }

  service(): SystemdService {
    const { layout, self, allowsTerminals } = this.#place;
    return new SystemdService({
      programs: this.#programs,
      name: this.#name,
      title: `the service ${this.#name} of ${this.#user.name}`,
      file: this.#file,
      systemctl: this.#systemctl,
      journal: ["journalctl", `--user-unit=${this.#name}`],
      wanted: async (installed) => {
        const text = renderUserUnit(runCommand(layout, self), allowsTerminals);
        const isMarked = this.#hasAllowedLingering || installed.includes(LINGER_MARK);
        const made = [...this.#made, ...madeFor(installed)];
        const notes = [
          ...(isMarked ? [LINGER_MARK] : []),
          ...made.map((path) => `# Made for it: ${path}`),
        ];
        return [text, ...notes.map((note) => `${note}\n`)].join("");
      },
      prepare: (changing) => this.#prepare(changing),
      tidy: (installed) => this.#tidy(installed),
      obstacle: () => undefined,
      caveats: () => this.#caveats(),
    });
  }

  async #prepare(changing: Changing): Promise<void> {
    await this.#makeFolder(changing);
    if (this.#isLingering()) return;
    const { name } = this.#user;
    const { code } = await this.#loginctl("enable-linger");
    if (code !== 0) return;
    this.#hasAllowedLingering = true;
    changing.undo.add(`end the lingering of ${name}`, async () => {
      await this.#loginctl("disable-linger");
    });
  }

  /** Each folder by itself, so that the uninstaller knows which were not there. */
  async #makeFolder(changing: Changing): Promise<void> {
    const made: string[] = [];
    for (const part of [".config", ".config/systemd", ".config/systemd/user"]) {
      const folder = join(this.#user.home, part);
      if (await isPresent(folder)) continue;
      made.unshift(folder);
      await ensureDirectory(folder, { mode: 0o755 }, changing);
    }
    this.#made = made;
  }

  async #tidy(installed: string): Promise<void> {
    if (installed.includes(LINGER_MARK)) await this.#loginctl("disable-linger");
    await removeIfEmpty(join(dirname(this.#file), "default.target.wants"));
    for (const folder of madeFor(installed)) await removeIfEmpty(folder);
  }

  async #caveats(): Promise<readonly string[]> {
    if (this.#isLingering()) return [];
    const { name } = this.#user;
    return [
      `The agent ends when you log out, and does not start with the machine: ${name} may not linger here.`,
      `An administrator can allow it: loginctl enable-linger ${name}`,
    ];
  }

  #isLingering(): boolean {
    return existsSync(join(LINGERING, this.#user.name));
  }

  #loginctl(verb: string) {
    return this.#programs.run("loginctl", ["--no-ask-password", verb, this.#user.name]);
  }
}

function madeFor(installed: string): readonly string[] {
  return [...installed.matchAll(MADE)].map(([, path = ""]) => path);
}
