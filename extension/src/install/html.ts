import { t } from "@vscode/l10n";

/** What the page is made of. */
export interface PageParts {
  readonly scriptUri: string;
  readonly styleUris: readonly string[];
  /** The webview's own source for resources. */
  readonly cspSource: string;
  /** New for each page. */
  readonly nonce: string;
}

function escapeAttribute(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

/** The install sheet's page: constants only. What it shows comes by messages. */
export function pageHtml(parts: PageParts): string {
  const [script, source, nonce] = [parts.scriptUri, parts.cspSource, parts.nonce].map(
    escapeAttribute,
  );
  const links = parts.styleUris.map(
    (style) => `<link rel="stylesheet" href="${escapeAttribute(style)}">`,
  );
  const policy = `default-src 'none'; style-src ${source}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  ${links.join("\n  ")}
  <title>${escapeAttribute(t("Install Client"))}</title>
</head>
<body>
  <main id="page"></main>
  <script nonce="${nonce}" src="${script}"></script>
</body>
</html>
`;
}
