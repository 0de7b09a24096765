import { formatHostPort, type HostPort, parseHostPort } from "@rport/protocol/remote";
import { type QuickInputButton, type QuickPickItem, ThemeIcon, window } from "vscode";
import { SERVICES, serviceOf } from "../../model/services.ts";

/** Where a new tunnel leads, and the local port if one was asked for. */
export interface TunnelChoice {
  readonly remote: HostPort;
  readonly localPort: number | undefined;
}

interface Choice extends QuickPickItem {
  readonly remote: HostPort | undefined;
}

const CHOOSE_PORT: QuickInputButton = {
  iconPath: new ThemeIcon("settings"),
  tooltip: "Choose the Local Port...",
};

function choiceOf(remote: HostPort, name: string): Choice {
  const isHostItself = remote.host === "127.0.0.1";
  return {
    label: isHostItself ? String(remote.port) : formatHostPort(remote),
    description: name,
    remote,
    buttons: [CHOOSE_PORT],
  };
}

const COMMON = SERVICES.map(({ port, name }) => choiceOf({ host: "127.0.0.1", port }, name));

/**
 * What is offered for the text typed so far: the typed target first, else what is wrong with it.
 */
function choicesFor(typed: string): readonly Choice[] {
  const text = typed.trim();
  if (text === "") return COMMON;
  const common = COMMON.filter(({ label, description }) =>
    `${label} ${description}`.toLowerCase().includes(text.toLowerCase()),
  );
  const remote = parseHostPort(text);
  if (remote !== undefined) {
    const name = serviceOf(remote.port)?.name ?? "";
    const rest = common.filter(({ label }) => label !== text);
    return [choiceOf(remote, name), ...rest];
  }
  if (common.length > 0) return common;
  const hint = { label: "Type a port, or host:port as seen from the client", remote: undefined };
  return [{ ...hint, alwaysShow: true }];
}

/** Asks in one step where a tunnel to a client leads: a common port, any port, or host:port. */
export async function pickTunnel(clientName: string): Promise<TunnelChoice | undefined> {
  const pick = window.createQuickPick<Choice>();
  pick.title = `Open Tunnel to ${clientName}`;
  pick.placeholder = "Port, or host:port as seen from the client";
  pick.items = COMMON;
  pick.onDidChangeValue((value) => {
    pick.items = choicesFor(value).map((choice) => ({ ...choice, alwaysShow: true }));
  });
  try {
    const picked = await answerOf(pick);
    if (picked?.remote === undefined) return undefined;
    if (!picked.asksPort) return { remote: picked.remote, localPort: undefined };
    const localPort = await askLocalPort(picked.remote.port);
    return localPort === undefined ? undefined : { remote: picked.remote, localPort };
  } finally {
    pick.dispose();
  }
}

function answerOf(pick: ReturnType<typeof window.createQuickPick<Choice>>) {
  return new Promise<{ remote: HostPort | undefined; asksPort: boolean } | undefined>((resolve) => {
    pick.onDidAccept(() => {
      // Enter may come before the editor has the entries for what was typed last
      const chosen = pick.selectedItems[0] ?? (pick.value === "" ? [] : choicesFor(pick.value))[0];
      if (chosen?.remote !== undefined) resolve({ remote: chosen.remote, asksPort: false });
    });
    pick.onDidTriggerItemButton(({ item }) => resolve({ remote: item.remote, asksPort: true }));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  });
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

async function askLocalPort(suggested: number): Promise<number | undefined> {
  const text = await window.showInputBox({
    title: "Local Port",
    prompt: "Port of this computer on which the tunnel answers",
    value: String(suggested),
    validateInput: (value) => (isPort(value) ? undefined : "A port is a number from 1 to 65535."),
  });
  return text === undefined ? undefined : Number(text);
}
