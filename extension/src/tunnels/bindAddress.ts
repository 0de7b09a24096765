import { isIP, SocketAddress } from "node:net";
import { RportError } from "@rport/protocol/errors";
import { t } from "@vscode/l10n";
import { SECTION, SETTINGS } from "../manifest.ts";
import { isLoopback, LOCAL_HOST } from "../model/tunnels/localHost.ts";

/**
 * The address that the person's setting says tunnels listen on; an empty one is `LOCAL_HOST`. Throws `BAD_REQUEST` for
 * whatever is no single address of this computer, whose own are those given.
 */
export function bindAddressOf(setting: unknown, own: readonly string[]): string {
  const written = typeof setting === "string" ? setting.trim() : "";
  if (written === "") return LOCAL_HOST;
  const version = isIP(written);
  if (version === 0) throw wrong(written, t("it is no IP address"));
  const family = version === 4 ? "ipv4" : "ipv6";
  const { address } = new SocketAddress({ address: written, family });
  if (address === "0.0.0.0" || address === "::") {
    throw wrong(written, t("it stands for all addresses at once, and one has to be named"));
  }
  if (isLoopback(address) || own.includes(address)) return address;
  throw wrong(written, t("this computer has {0}", ["127.0.0.1", ...own].join(", ")));
}

function wrong(written: string, why: string): RportError {
  const setting = `${SECTION}.${SETTINGS.bindAddress}`;
  const title = t(
    "Tunnels cannot listen on {0}, which the setting {1} names: {2}.",
    written,
    setting,
    why,
  );
  return new RportError("BAD_REQUEST", title);
}
