import { config } from "@vscode/l10n";
import { l10n } from "vscode";

// has to run before any other module says something: what is constant is looked up while modules load
if (l10n.bundle !== undefined) config({ contents: l10n.bundle });
