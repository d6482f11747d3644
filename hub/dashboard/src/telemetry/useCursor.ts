// The moment that somebody points at, by a pointer or by keys.
import { computed, ref } from "vue";
import { nearest } from "./heaters";

/** A press of Page up or down goes this part of the print. */
const PAGE = 10;

export function useCursor(times: () => number[]) {
  /** A moment and not a place: places change when more points come. */
  const at = ref<number>();
  const last = computed(() => times().length - 1);
  const index = computed(() => (at.value === undefined ? undefined : nearest(times(), at.value)));
  /** Nobody points: the latest is shown. */
  const shown = computed(() => index.value ?? last.value);

  function moveTo(wanted: number): void {
    at.value = times()[Math.min(last.value, Math.max(0, wanted))];
  }
  function pointAt(moment: number): void {
    moveTo(nearest(times(), moment));
  }
  function press(event: KeyboardEvent): void {
    const page = Math.max(1, Math.round(last.value / PAGE));
    const places: Record<string, number> = {
      ArrowLeft: shown.value - 1, ArrowDown: shown.value - 1, ArrowRight: shown.value + 1, ArrowUp: shown.value + 1,
      PageDown: shown.value - page, PageUp: shown.value + page, Home: 0, End: last.value,
    };
    const wanted = places[event.key];
    if (wanted === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    // The dialog would scroll.
    event.preventDefault();
    moveTo(wanted);
  }
  function clear(): void {
    at.value = undefined;
  }
  return { index, shown, last, pointAt, press, clear };
}
