// Short messages at the foot of the page: what was done, or what did not work.
import { ref } from "vue";

export interface Notice {
  id: number;
  kind: "success" | "error";
  text: string;
}

export const notices = ref<Notice[]>([]);
let next = 1;

export function notify(kind: Notice["kind"], text: string): void {
  notices.value = [...notices.value.slice(-2), { id: next, kind, text }];
  next += 1;
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}
