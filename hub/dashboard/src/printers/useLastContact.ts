// When a printer's agent was heard last, in words: of one that is out of reach never "now", and of one that waits for commands over
// HTTPS that it does.
import { useI18n } from "vue-i18n";
import type { Printer } from "@/api/types";
import { useFormat } from "@/format/useFormat";
import { useNow } from "@/live/now";
import { waitsUnseen } from "./contact";

const MINUTE_MS = 60_000;

export function useLastContact() {
  const { t } = useI18n();
  const format = useFormat();
  const now = useNow();

  /** "3 hours ago". */
  const ago = (since: string): string =>
    now.value - Date.parse(since) < MINUTE_MS ? t("printer.justBefore") : format.ago(since, now.value);

  /** The whole sentence; empty while there is contact. */
  const told = (printer: Printer): string => {
    const { state, since } = printer.contact;
    if (waitsUnseen(printer)) return t("printer.waits");
    if (state === "lost") return since ? t("printer.lostSince", { ago: ago(since) }) : t("printer.lost");
    return state === "never" ? t("printer.neverSeen") : "";
  };

  /** To the second, for a tooltip. */
  const moment = (printer: Printer): string | undefined => {
    const { state, since } = printer.contact;
    return state === "lost" && since && !waitsUnseen(printer) ? format.moment(since) : undefined;
  };

  return { ago, told, moment };
}
