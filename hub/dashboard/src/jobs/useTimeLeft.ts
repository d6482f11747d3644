// The time left, counted down between the hub's messages, but only while something is printed.
import { computed, watch } from "vue";
import type { JobProgress } from "@/api/types";
import { useNow } from "@/live/now";

/**
 * Seconds left and when it will be done (milliseconds); undefined while that is not known. `prints`: whether the printer is known to
 * print now, neither waiting for somebody nor out of reach.
 */
export function useTimeLeft(progress: () => JobProgress | undefined, prints: () => boolean) {
  const now = useNow();
  let toldAt = Date.now();
  watch(() => [progress()?.left_s, progress()?.elapsed_s, prints()], () => {
    toldAt = Date.now();
  });
  const left = computed(() => {
    const told = progress();
    if (told?.left_s === undefined || told.left_s === null) return undefined;
    const passed = prints() ? Math.max(0, now.value - toldAt) / 1000 : 0;
    return Math.max(0, told.left_s - passed);
  });
  const doneAt = computed(() => (left.value === undefined || !prints() ? undefined : now.value + left.value * 1000));
  return { left, doneAt, now };
}
