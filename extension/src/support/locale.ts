import { t } from "@vscode/l10n";

/**
 * The language (BCP 47) that dates and numbers are written in: a translation says which one is its own,
 * because a date in another language than the sentence around it is worse than an English sentence.
 */
export const LOCALE = t("en-GB");
