// A page that nobody has looked at for a while lets go of its stream: browsers allow six connections to a hub
// that speaks HTTP/1.1, and each forgotten tab would hold one of them.
import type { Stream } from "./stream";

const PATIENCE_MS = 5 * 60_000;

/** Rests the stream of a page long hidden; goes on when it is seen again and somebody is signed in. */
export function restWhileHidden(stream: Stream, signedIn: () => boolean): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(stream.rest, PATIENCE_MS);
    else if (signedIn()) stream.start();
  });
}
