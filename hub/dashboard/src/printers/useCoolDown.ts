// Turns a printer's heaters off; an order that was not answered is not taken for done.
import { useI18n } from "vue-i18n";
import * as hub from "@/api/hub";
import type { Printer } from "@/api/types";
import { notify } from "@/app/notices";
import { useAction } from "@/app/useAction";

export function useCoolDown() {
  const { t } = useI18n();
  const { busy, attempt } = useAction();

  const coolDown = (printer: Printer): Promise<boolean> =>
    attempt(async () => {
      if ((await hub.coolDownPrinter(printer.id)) === "not_known") notify("error", t("preheat.coolNotKnown", { name: printer.name }));
    });

  return { busy, coolDown };
}
