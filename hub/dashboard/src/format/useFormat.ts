// The formatters, bound to the language in use. Times may be given as the hub writes them (RFC 3339).
import { computed } from "vue";
import { useI18n } from "vue-i18n";
import type { Temperature } from "@/api/types";
import { formatDuration } from "./duration";
import { formatAgo, formatClock, formatMoment, formatTime } from "./moments";
import { formatBytes, formatLength, formatMillimetres, formatPercent, formatSetting, formatSpeed, formatTemperature, formatVolume, formatWeight } from "./quantities";
import { regional } from "./regional";

const ms = (at: string | number): number => (typeof at === "number" ? at : Date.parse(at));

export function useFormat() {
  const { locale } = useI18n();
  const region = computed(() => regional(locale.value, navigator.languages));
  return {
    duration: (seconds: number) => formatDuration(seconds, region.value),
    bytes: (bytes: number) => formatBytes(bytes, region.value),
    speed: (bytesPerSecond: number) => formatSpeed(bytesPerSecond, region.value),
    temperature: (temperature: Temperature) => formatTemperature(temperature, region.value),
    length: (millimetres: number) => formatLength(millimetres, region.value),
    millimetres: (millimetres: number) => formatMillimetres(millimetres, region.value),
    setting: (percent: number) => formatSetting(percent, region.value),
    weight: (grams: number) => formatWeight(grams, region.value),
    volume: (cubicCentimetres: number) => formatVolume(cubicCentimetres, region.value),
    percent: (fraction: number) => formatPercent(fraction, region.value),
    time: (at: string | number, now: number) => formatTime(ms(at), now, region.value),
    clock: (at: string | number) => formatClock(ms(at), region.value),
    ago: (at: string | number, now: number) => formatAgo(ms(at), now, region.value),
    moment: (at: string | number) => formatMoment(ms(at), region.value),
  };
}
