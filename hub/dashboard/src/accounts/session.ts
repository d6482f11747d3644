// Who is signed in.
import { computed, ref } from "vue";
import * as hub from "@/api/hub";
import { Problem } from "@/api/problem";
import type { Session } from "@/api/types";
import { forget, stream } from "@/live/live";

const current = ref<Session>();
let asked: Promise<void> | undefined;

export const session = computed(() => current.value);

function begin(found: Session): void {
  current.value = found;
  stream.start();
}

/** Asks the hub once whether this browser is signed in. */
export function knowSession(): Promise<void> {
  asked ??= hub.readSession().then(begin, (error: unknown) => {
    // Only a clear answer means "signed out"; a hub out of reach is asked again at the next step.
    if (!(error instanceof Problem && error.status === 401)) asked = undefined;
  });
  return asked;
}

export async function signIn(email: string, password: string): Promise<void> {
  begin(await hub.signIn(email, password));
  asked = Promise.resolve();
}

export function endSession(): void {
  current.value = undefined;
  forget();
}

export async function signOut(): Promise<void> {
  await hub.signOut();
  endSession();
}
