// When a printer's agent was heard last, in words: of one that is out of reach never "now".
import { useI18n } from "vue-i18n";
import type { Printer } from "@/api/types";
import { useFormat } from "@/format/useFormat";
import { useNow } from "@/live/now";

const MINUTE_MS = 60_000;

export function useLastContact() {
  const { t } = useI18n();
  const format = useFormat();
  const now = useNow();

  /** "3 hours ago". */
  const ago = (since: string): string =>
    now.value - Date.parse(since) < MINUTE_MS ? t("printer.justBefore") : format.ago(since, now.value);

  /** The whole sentence; empty while there is contact. */
  const told = ({ contact: { state, since } }: Printer): string => {
    if (state === "lost") return since ? t("printer.lostSince", { ago: ago(since) }) : t("printer.lost");
    return state === "never" ? t("printer.neverSeen") : "";
  };

  /** To the second, for a tooltip. */
  const moment = ({ contact: { state, since } }: Printer): string | undefined =>
    state === "lost" && since ? format.moment(since) : undefined;

  return { ago, told, moment };
}
