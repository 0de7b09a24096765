import type { Workbench } from "./workbench.ts";

/** A server as somebody adds it. */
export interface Reached {
  readonly url: string;
  readonly fingerprint: string;
}

/** The fields of signing in, by their prompts. */
export const FIELDS = {
  address: "Address of the server",
  user: "Your user name",
  password: "Password of",
  code: "Code of your authenticator app",
  invitation: "The code that you were given",
  newName: "Choose a user name",
  newPassword: "Choose a password",
  again: "The same password again",
  token: "The token. It is kept",
  name: "What is the server called",
} as const;

/** In "Add Server": types the address and accepts the key. */
export async function reach(workbench: Workbench, { url, fingerprint }: Reached): Promise<void> {
  await workbench.quickInput.answer(FIELDS.address, url);
  await workbench.answerDialog(fingerprint, "Go On");
}

/** In "Add Server", from the list of ways on: pastes a token. */
export async function pasteToken(workbench: Workbench, token: string): Promise<void> {
  await workbench.quickInput.pick(/Paste a token/);
  await workbench.quickInput.answer(FIELDS.token, token);
}

/** The whole of "Add Server", with a pasted token; the command runs already. */
export async function addByToken(
  workbench: Workbench,
  server: Reached & { readonly token: string },
): Promise<void> {
  await reach(workbench, server);
  await pasteToken(workbench, server.token);
  await workbench.quickInput.answer(FIELDS.name, new URL(server.url).host);
}
