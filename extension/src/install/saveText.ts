import { chmod, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { Uri, window, workspace } from "vscode";

/** Asks where to save a text and saves it; what lies on this computer gets these rights. */
export async function saveText(name: string, text: string, mode: number): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri ?? Uri.file(homedir());
  const uri = await window.showSaveDialog({ defaultUri: Uri.joinPath(folder, name) });
  if (uri === undefined) return;
  if (uri.scheme !== "file") {
    await workspace.fs.writeFile(uri, new TextEncoder().encode(text));
    return;
  }
  await writeFile(uri.fsPath, "", { mode });
  // a file that was there keeps its rights otherwise
  await chmod(uri.fsPath, mode);
  await writeFile(uri.fsPath, text);
}
