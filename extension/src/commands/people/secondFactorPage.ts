import { createHash } from "node:crypto";
import { t } from "@vscode/l10n";

/** What the page shows. */
export interface PageParts {
  /** That of the texts, as `de`. */
  readonly language: string;
  readonly name: string;
  readonly secret: string;
  /** A picture, PNG in base64. */
  readonly qr: string;
  readonly uri: string;
  readonly recovery_codes: readonly string[];
}

const STYLE = `
body { max-width: 40em; padding: 1em 2em; line-height: 1.5; }
img { background: #fff; padding: 12px; width: 220px; image-rendering: pixelated; }
code { font-family: var(--vscode-editor-font-family); user-select: all; overflow-wrap: anywhere; }
ol { columns: 2; max-width: 24em; }
`;

/**
 * The page with a new secret. It has no script, loads nothing and knows no address: what stands in
 * it is text, and a picture that came with it.
 */
export function secondFactorPage({
  language,
  name,
  secret,
  qr,
  uri,
  recovery_codes: codes,
}: PageParts): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'`;
  const groups = secret.match(/.{1,4}/g)?.join(" ") ?? "";
  const picture = /^[A-Za-z0-9+/=]+$/.test(qr)
    ? `<p><img alt="${htmlOf(t("QR code for the authenticator app"))}" src="data:image/png;base64,${qr}"></p>`
    : "";
  return `<!DOCTYPE html>
<html lang="${htmlOf(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${htmlOf(t("Authenticator app"))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${htmlOf(t("Authenticator app for {0}", name))}</h1>
<p>${htmlOf(t("1. Scan this with the app, then type the code that it shows into the field above."))}</p>
${picture}
<p>${htmlOf(t("Without a camera, type the key:"))} <code>${htmlOf(groups)}</code><br>
${htmlOf(t("or open this address on the device that has the app:"))} <code>${htmlOf(uri)}</code></p>
<h2>${htmlOf(t("Recovery codes"))}</h2>
<p>${htmlOf(t("2. Keep these where you find them when the device is lost. Each works once, in place of a code. They are shown this once."))}</p>
<ol>${codes.map((code) => `<li><code>${htmlOf(code)}</code></li>`).join("")}</ol>
<p>${htmlOf(t("Close this tab when you are done: nothing of it is kept."))}</p>
</body>
</html>`;
}

function htmlOf(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
