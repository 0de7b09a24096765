import type { RportEditor } from "./rport.ts";

/** Titles of the palette's commands on tunnels that `tunnelsStay.test.ts` and `tunnelOpening.test.ts` try. */
export const TUNNEL_COMMANDS: readonly string[] = [
  "Reopen Tunnel",
  "Reopen All Tunnels",
  "Forget Tunnel",
  "Copy Command Line of Tunnel",
  "Open Tunnel in Simple Browser",
];

/** Asks for a tunnel by the plug of a host's row, and chooses a port of the host. */
export async function chooseTunnel(
  { clients, workbench }: Pick<RportEditor, "clients" | "workbench">,
  host: string,
  port: number,
): Promise<void> {
  const { quickInput, page } = workbench;
  await clients.rowAction(host, "Open Tunnel");
  await quickInput.title(`Open Tunnel to ${host}`).waitFor();
  await quickInput.input.fill(String(port));
  // a click may meet the list while it is drawn anew
  await quickInput.rows(String(port)).first().waitFor();
  await page.keyboard.press("Enter");
}

/** Opens a tunnel by the plug of a host's row; answers its local address, as its row says it. */
export async function openTunnel(
  rport: Pick<RportEditor, "clients" | "tunnels" | "workbench">,
  host: string,
  port: number,
): Promise<string> {
  await chooseTunnel(rport, host, port);
  const row = rport.tunnels.row(`${host}:${port}`).last();
  await row.waitFor();
  const address = /^[\d.]+:\d+/.exec((await row.getAttribute("aria-label")) ?? "");
  if (address === null) throw new Error("the row of the tunnel begins with no address");
  return address[0];
}
