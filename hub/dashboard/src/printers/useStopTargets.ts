// Whom the stop dialog is about: the hub's printers, and those that it has shown and that were removed since. Such a machine may print on,
// and who has chosen it believes that it is stopped: it stays in sight until the dialog is closed.
import { computed, shallowRef, watch } from "vue";
import type { Ref } from "vue";
import type { Printer } from "@/api/types";

export function useStopTargets(printers: () => Printer[], open: Ref<boolean>) {
  /** As each was seen last. */
  const seen = shallowRef<ReadonlyMap<string, Printer>>(new Map());
  watch([open, printers] as const, ([isOpen, now], [wasOpen]) => {
    if (isOpen) seen.value = new Map([...(wasOpen ? seen.value : []), ...now.map((printer) => [printer.id, printer] as const)]);
  });

  const targets = computed(() => [...seen.value.values()]);
  const removed = computed((): ReadonlySet<string> => {
    const here = new Set(printers().map(({ id }) => id));
    return new Set([...seen.value.keys()].filter((id) => !here.has(id)));
  });
  return { targets, removed };
}
