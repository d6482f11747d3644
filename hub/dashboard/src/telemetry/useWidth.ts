// How wide an element is, now and when that changes: what is drawn in it keeps its letters and strokes at their size.
import { onBeforeUnmount, onMounted, ref } from "vue";
import type { Ref } from "vue";

export function useWidth(element: () => HTMLElement | null, before: number): Readonly<Ref<number>> {
  const width = ref(before);
  let observer: ResizeObserver | undefined;
  onMounted(() => {
    const measure = (): void => {
      width.value = element()?.clientWidth || before;
    };
    const measured = element();
    observer = new ResizeObserver(measure);
    if (measured) observer.observe(measured);
    measure();
  });
  onBeforeUnmount(() => observer?.disconnect());
  return width;
}
