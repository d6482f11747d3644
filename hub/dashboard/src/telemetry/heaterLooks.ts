// How a heater looks on a chart: an icon that stands at its line too, a tone, and its name.
import { mdiHomeThermometerOutline, mdiPrinter3dNozzleHeatOutline, mdiRadiator } from "@mdi/js";
import { useI18n } from "vue-i18n";
import type { Temperature } from "@/api/types";
import { useFormat } from "@/format/useFormat";
import type { Heater } from "./heaters";

const ICONS: Record<Heater["kind"], string> = {
  nozzle: mdiPrinter3dNozzleHeatOutline, bed: mdiRadiator, chamber: mdiHomeThermometerOutline,
};
const NOZZLE_TONES = 4;

export const iconOf = (heater: Heater): string => ICONS[heater.kind];

/** Apart for those who see no red or no green as well; the icon says it without colour. */
export const toneOf = ({ kind, number = 1 }: Heater): string =>
  `var(--heat-${kind === "nozzle" ? `nozzle-${String(((number - 1) % NOZZLE_TONES) + 1)}` : kind})`;

export function useHeaterWords() {
  const { t } = useI18n();
  const format = useFormat();
  const degrees = (actual: number): string => format.temperature({ actual, target: 0 });
  return {
    degrees,
    nameOf: ({ kind, number }: Heater): string => {
      if (kind !== "nozzle") return kind === "bed" ? t("printer.bed") : t("printer.chamber");
      return number === undefined ? t("printer.nozzle") : t("printer.nozzleNumber", { number });
    },
    /** For ears: a stroke between two numbers is not read as "of". */
    reading: ({ actual, target }: Temperature): string =>
      target > 0 ? t("telemetry.reached", { actual: degrees(actual), target: degrees(target) }) : degrees(actual),
  };
}
