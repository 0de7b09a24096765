import type { Workbench } from "./workbench.ts";

/** Titles of the palette's commands on links, which `links.test.ts` tries. */
export const LINK_COMMANDS: readonly string[] = ["Copy Link", "Copy Tunnel Link"];

/** A link of this editor to the extension. */
export async function linkOf(workbench: Workbench, rest: string): Promise<string> {
  return `${await workbench.inHost((vscode) => vscode.env.uriScheme)}://rport.rport${rest}`;
}

/**
 * Follows a link, as a browser on the same computer hands it to the editor. One that lies outside asks
 * whether the extension may have it; this one, whose server made the address, does not.
 */
export async function follow(workbench: Workbench, link: string): Promise<void> {
  const address = await workbench.inHost(async (vscode, text) => {
    const uri = await vscode.env.asExternalUri(vscode.Uri.parse(text));
    return uri.toString(true);
  }, link);
  const page = await workbench.page.context().newPage();
  await page.goto(address);
  await page.close();
}
