import { flushPromises } from "@vue/test-utils";
import { describe, expect, it, vi } from "vitest";
import { computed } from "vue";
import { createCollection } from "./collection";

interface Thing {
  id: string;
  name: string;
  size?: number;
  version?: number;
}

const never = (): Promise<Thing> => Promise.reject(new Error("not to be asked"));

describe("a collection", () => {
  it("applies upserts, patches and removals, and tells who looks at it", () => {
    const things = createCollection<Thing>(never);
    const names = computed(() => [...things.byId.values()].map((thing) => `${thing.name}:${thing.size ?? "-"}`));
    things.apply({ op: "upsert", id: "1", data: { id: "1", name: "a", size: 1 } });
    things.apply({ op: "upsert", id: "2", data: { id: "2", name: "b" } });
    expect(names.value).toEqual(["a:1", "b:-"]);
    things.apply({ op: "patch", id: "1", data: { size: null, name: "A" } });
    things.apply({ op: "remove", id: "2" });
    expect(names.value).toEqual(["A:-"]);
  });

  it("does not let a slow answer undo what the stream has told since", () => {
    const things = createCollection<Thing>(never);
    things.put({ id: "1", name: "printing", version: 4 });
    things.apply({ op: "patch", id: "1", data: { name: "paused", version: 6 } });
    things.put({ id: "1", name: "pausing", version: 5 });
    expect(things.byId.get("1")?.name).toBe("paused");
    things.put({ id: "1", name: "resuming", version: 7 });
    expect(things.byId.get("1")?.name).toBe("resuming");
  });

  it("fetches once what it knows only a patch of", async () => {
    const fetchOne = vi.fn((id: string) => Promise.resolve({ id, name: "fetched" }));
    const things = createCollection<Thing>(fetchOne);
    things.apply({ op: "patch", id: "9", data: { size: 1 } });
    things.apply({ op: "patch", id: "9", data: { size: 2 } });
    await flushPromises();
    expect(fetchOne).toHaveBeenCalledTimes(1);
    expect(things.byId.get("9")?.name).toBe("fetched");
  });

  it("does not bring back what was removed while it was fetched", async () => {
    const things = createCollection<Thing>((id) => Promise.resolve({ id, name: "late" }));
    things.apply({ op: "patch", id: "9", data: {} });
    things.apply({ op: "remove", id: "9" });
    await flushPromises();
    expect(things.byId.size).toBe(0);
  });

  it("replaces its whole content", () => {
    const things = createCollection<Thing>(never);
    things.put({ id: "1", name: "old" });
    things.put({ id: "2", name: "gone" });
    things.replace([{ id: "1", name: "new" }]);
    expect([...things.byId.values()]).toEqual([{ id: "1", name: "new" }]);
  });
});
