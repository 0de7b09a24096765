/** What is read of a Linux system; a missing file is empty. */
export interface LinuxFiles {
  readonly osRelease: string;
  readonly debianVersion: string;
  /** Whether this is the maker's system of a Raspberry Pi. */
  readonly isRaspbian: boolean;
  readonly oracleRelease: string;
  readonly redhatRelease: string;
  /** Amazon's. */
  readonly systemRelease: string;
  readonly alpineRelease: string;
}

/** A system in the words of RPort's own client, by which filters and groups know it. */
export interface NamedSystem {
  /** Such as `debian`, in small letters. */
  readonly platform: string;
  /** Such as `12.11`; empty: it has none. */
  readonly version: string;
  /** Such as `rhel` for all that descend from it. */
  readonly family: string;
}

/** Platforms of a family that has another name than they have. */
const FAMILIES: readonly (readonly [family: string, platforms: RegExp])[] = [
  ["debian", /^(debian|ubuntu|linuxmint|raspbian|deepin|kali)$/],
  [
    "rhel",
    /^(redhat|rhel|centos|oracle|ol|scientific|amazon|amzn|rocky|almalinux|cloudlinux|xenserver)$/,
  ],
  ["suse", /^(suse|sles|sled|opensuse.*)$/],
  ["arch", /^(arch|manjaro)$/],
];

/**
 * The system's name and version from where RPort's client has them: the distribution's own file,
 * which knows the point release, before `os-release`. Two of Debian's descendants count as themselves.
 */
export function linuxSystem(files: LinuxFiles): NamedSystem {
  const { platform, version } = nameOf(files);
  const family = FAMILIES.find(([, platforms]) => platforms.test(platform))?.[0];
  const [like = ""] = field(files, "ID_LIKE").split(" ");
  return { platform, version, family: family ?? (like || platform) };
}

function nameOf(files: LinuxFiles): Pick<NamedSystem, "platform" | "version"> {
  const { debianVersion, oracleRelease, alpineRelease } = files;
  const id = field(files, "ID").toLowerCase();
  const stated = { platform: id, version: field(files, "VERSION_ID") };
  if (oracleRelease !== "") return { platform: "oracle", version: releaseIn(oracleRelease) };
  if (debianVersion !== "") {
    if (id === "ubuntu" || id === "linuxmint") return stated;
    return { platform: files.isRaspbian ? "raspbian" : "debian", version: debianVersion.trim() };
  }
  const redhat = files.redhatRelease || files.systemRelease;
  if (redhat !== "") return { platform: redhatPlatform(redhat), version: releaseIn(redhat) };
  if (alpineRelease !== "") return { platform: "alpine", version: alpineRelease.trim() };
  return stated;
}

function field({ osRelease }: LinuxFiles, key: string): string {
  return new RegExp(`^${key}=["']?([^"'\\n]*)["']?$`, "m").exec(osRelease)?.[1] ?? "";
}

/** `Rocky Linux release 9.3 (Blue Onyx)`. */
function redhatPlatform(line: string): string {
  const lower = line.trim().toLowerCase();
  if (lower.includes("red hat")) return "redhat";
  return lower.split(/\s/)[0] ?? "";
}

function releaseIn(line: string): string {
  if (/rawhide/i.test(line)) return "rawhide";
  return /release (\d[\d.]*)/.exec(line)?.[1] ?? "";
}

/** `debian` as `Debian`, `opensuse-leap` as `Opensuse-Leap`. */
export function titled(platform: string): string {
  return platform.replaceAll(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase());
}
