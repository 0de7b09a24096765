import { wrongSetting } from "../config/check.ts";
import type { Settings } from "../config/settings.ts";

/** What a pairing service alone has a use for: whole sections, or keys of them. */
const USED: Readonly<Record<keyof Settings, "all" | readonly string[]>> = {
  server: ["address", "trusted_proxies", "cert_file", "key_file", "tls_min"],
  pairing: ["keys_file"],
  limits: "all",
  logging: "all",
  api: [],
  metrics: [],
  tunnels: [],
  terminals: [],
};

/** Fails with a `StartFailure` that names the first setting that would have no effect. */
export function requireUsed(settings: Settings): void {
  for (const [section, values] of Object.entries(settings)) {
    const used = USED[section as keyof Settings];
    const unused = Object.entries(values ?? {}).find(
      ([key, value]) => value !== undefined && used !== "all" && !used.includes(key),
    );
    if (unused === undefined) continue;
    throw wrongSetting(`${section}.${unused[0]} has no effect on a pairing service: take it out.`);
  }
}
