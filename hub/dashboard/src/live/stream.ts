// The hub's event stream: opened first, lists fetched when it says "reset", and changes held back until they are there.
import { ref } from "vue";
import type { Ref } from "vue";
import type { Change } from "./collection";

export type Connection = "connecting" | "live" | "lost";
export interface ResourceChange extends Change {
  resource: string;
}

/** What of EventSource is used; a test gives its own. */
export interface Source {
  readonly readyState: number;
  addEventListener: (type: string, listener: (event: Event) => void) => void;
  close: () => void;
}

export interface StreamOptions {
  open: () => Source;
  /** Fetches the lists anew. */
  load: () => Promise<void>;
  apply: (change: ResourceChange) => void;
  /** The hub refused the stream (it may have forgotten the session). */
  refused: () => void;
}

export interface Stream {
  readonly connection: Readonly<Ref<Connection>>;
  readonly loaded: Readonly<Ref<boolean>>;
  /** How often the lists have been fetched: whoever holds more of a list fetches it again when this changes. */
  readonly generation: Readonly<Ref<number>>;
  start: () => void;
  stop: () => void;
  /** Lets go of the connection but keeps what is shown; `start` goes on. */
  rest: () => void;
}

const CLOSED = 2;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** A stream may die without a word (a proxy, a sleeping network card). The hub says at least every 15 s that it is alive. */
const SILENCE_MS = 60_000;
/** Changes are shown at most this often, so that many printers cost few renderings. */
const GATHER_MS = 100;

export function createStream(options: StreamOptions): Stream {
  const connection = ref<Connection>("connecting");
  const loaded = ref(false);
  const generation = ref(0);
  let source: Source | undefined;
  let held: ResourceChange[] = [];
  let loading = 0;
  let waitMs = FIRST_WAIT_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let gather: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    gather = undefined;
    if (loading > 0) return;
    const changes = held;
    held = [];
    for (const change of changes) options.apply(change);
  }

  function hold(change: ResourceChange): void {
    held.push(change);
    gather ??= setTimeout(flush, GATHER_MS);
  }

  async function load(from: Source): Promise<void> {
    // What was held belongs to the time before: the lists fetched now are newer.
    held = [];
    loading += 1;
    let complete = false;
    try {
      await options.load();
      complete = true;
    } catch {
      // Nothing can be shown without the lists: begin again, later.
    }
    loading -= 1;
    if (source !== from) return;
    if (complete) {
      loaded.value = true;
      generation.value += 1;
      connection.value = "live";
      waitMs = FIRST_WAIT_MS;
      if (loading === 0) flush();
    } else {
      reopenLater();
    }
  }

  function reopenLater(): void {
    clearTimeout(silence);
    source?.close();
    source = undefined;
    connection.value = "lost";
    clearTimeout(retry);
    // Spread out, so that a hub that comes back is not met by every browser at once.
    retry = setTimeout(connect, waitMs * (0.75 + Math.random() / 2));
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }

  /** After a long silence the stream is opened anew; when that one says nothing either, the hub is lost. */
  function listen(alreadyHeard: boolean): void {
    clearTimeout(silence);
    silence = setTimeout(() => {
      if (!alreadyHeard) connection.value = "lost";
      source?.close();
      connect();
    }, SILENCE_MS);
  }

  function connect(): void {
    clearTimeout(retry);
    const opened = options.open();
    source = opened;
    listen(false);
    opened.addEventListener("open", () => {
      if (source === opened) listen(true);
      // A resumed stream goes on without a reset; a new one becomes live when its lists are there.
      if (source === opened && loaded.value && loading === 0) connection.value = "live";
    });
    opened.addEventListener("reset", () => {
      if (source === opened) void load(opened);
    });
    opened.addEventListener("change", (event) => {
      if (source !== opened) return;
      listen(true);
      const change = parse((event as MessageEvent<string>).data);
      if (change) hold(change);
    });
    opened.addEventListener("alive", () => {
      if (source === opened) listen(true);
    });
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      connection.value = "lost";
      // While it is not closed the browser itself tries again, and resumes.
      if (opened.readyState === CLOSED) {
        reopenLater();
        options.refused();
      }
    });
  }

  function rest(): void {
    clearTimeout(retry);
    clearTimeout(silence);
    clearTimeout(gather);
    gather = undefined;
    source?.close();
    source = undefined;
    held = [];
    waitMs = FIRST_WAIT_MS;
  }

  function stop(): void {
    rest();
    loaded.value = false;
    connection.value = "connecting";
  }

  return {
    connection,
    loaded,
    generation,
    start: () => {
      if (source === undefined) connect();
    },
    stop,
    rest,
  };
}

function parse(data: string): ResourceChange | undefined {
  try {
    return JSON.parse(data) as ResourceChange;
  } catch {
    return undefined;
  }
}
