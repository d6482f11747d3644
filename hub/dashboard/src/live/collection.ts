// The resources of one kind that this page holds, kept up to date by the changes of the stream.
import { shallowReactive } from "vue";
import { mergePatch } from "./mergePatch";

export interface Change {
  op: "upsert" | "patch" | "remove";
  id: string;
  data?: unknown;
}

interface Identified {
  id: string;
  /** Grows with each change of the resource, where it is counted. */
  version?: number;
}

export interface Collection<T extends Identified> {
  /** By id; reactive. A changed resource is a new object, so watchers may compare by identity. */
  readonly byId: ReadonlyMap<string, T>;
  /** Takes the answer of a call, unless the stream has told of something newer while it was on its way. */
  put: (item: T) => void;
  remove: (id: string) => void;
  /** Makes this the whole content. */
  replace: (items: T[]) => void;
  /** Applies a change; a patch for what is not held fetches the resource. */
  apply: (change: Change) => void;
}

/** `fetchOne` is asked for a resource of which only a patch has arrived. */
export function createCollection<T extends Identified>(fetchOne: (id: string) => Promise<T>): Collection<T> {
  const byId = shallowReactive(new Map<string, T>());
  const fetching = new Set<string>();

  async function fetchMissing(id: string): Promise<void> {
    if (fetching.has(id)) return;
    fetching.add(id);
    try {
      const item = await fetchOne(id);
      // What came over the stream meanwhile is at least as new.
      if (fetching.has(id) && !byId.has(id)) byId.set(id, item);
    } catch {
      // Gone or not ours to see: there is nothing to show.
    } finally {
      fetching.delete(id);
    }
  }

  function remove(id: string): void {
    byId.delete(id);
    fetching.delete(id);
  }

  function apply(change: Change): void {
    if (change.op === "remove") {
      remove(change.id);
    } else if (change.op === "upsert") {
      byId.set(change.id, change.data as T);
    } else {
      const held = byId.get(change.id);
      if (held === undefined) void fetchMissing(change.id);
      else byId.set(change.id, mergePatch(held, change.data));
    }
  }

  function put(item: T): void {
    const held = byId.get(item.id);
    const overtaken = held?.version !== undefined && item.version !== undefined && item.version <= held.version;
    if (!overtaken) byId.set(item.id, item);
  }

  function replace(items: T[]): void {
    const kept = new Set(items.map((item) => item.id));
    for (const id of [...byId.keys()]) if (!kept.has(id)) remove(id);
    for (const item of items) byId.set(item.id, item);
  }

  return { byId, put, remove, replace, apply };
}
