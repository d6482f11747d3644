import { flushPromises } from "@vue/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createStream } from "./stream";
import type { ResourceChange, Source } from "./stream";

/** An EventSource of which the test decides what it receives. */
class FakeEventSource extends EventTarget implements Source {
  readyState = 0;
  close = vi.fn(() => { this.readyState = 2; });
  receive(type: string, data: unknown = {}): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }));
  }
  break(closed: boolean): void {
    this.readyState = closed ? 2 : 0;
    this.dispatchEvent(new Event("error"));
  }
}

function setUp(load: () => Promise<void> = () => Promise.resolve()) {
  const sources: FakeEventSource[] = [];
  const applied: string[] = [];
  const refused = vi.fn();
  const loads = vi.fn(load);
  const stream = createStream({
    open: () => {
      const source = new FakeEventSource();
      sources.push(source);
      return source;
    },
    load: loads,
    apply: (change) => applied.push(change.id),
    refused,
  });
  const latest = (): FakeEventSource => {
    const source = sources.at(-1);
    if (!source) throw new Error("the stream was not opened");
    return source;
  };
  return { stream, sources, latest, applied, refused, loads };
}

const change = (id: string): ResourceChange => ({ resource: "job", op: "remove", id });

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

describe("the stream", () => {
  it("is live once the lists are there, and only then applies what came meanwhile", async () => {
    let listsArrive: () => void = () => undefined;
    const { stream, latest, applied } = setUp(() => new Promise((resolve) => { listsArrive = resolve; }));
    stream.start();
    latest().receive("reset");
    latest().receive("change", change("a"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(applied).toEqual([]);
    expect(stream.loaded.value).toBe(false);
    listsArrive();
    await flushPromises();
    expect(applied).toEqual(["a"]);
    expect(stream.connection.value).toBe("live");
    latest().receive("change", change("b"));
    latest().receive("change", change("c"));
    await vi.advanceTimersByTimeAsync(100);
    expect(applied).toEqual(["a", "b", "c"]);
  });

  it("fetches the lists anew after each reset", async () => {
    const { stream, latest, loads } = setUp();
    stream.start();
    latest().receive("reset");
    await flushPromises();
    latest().receive("reset");
    await flushPromises();
    expect(loads).toHaveBeenCalledTimes(2);
    expect(stream.generation.value).toBe(2);
  });

  it("leaves a broken connection to the browser, and is live again when it resumes", async () => {
    const { stream, sources, latest, loads, refused } = setUp();
    stream.start();
    latest().receive("reset");
    await flushPromises();
    latest().break(false);
    expect(stream.connection.value).toBe("lost");
    latest().dispatchEvent(new Event("open"));
    expect(stream.connection.value).toBe("live");
    expect(sources).toHaveLength(1);
    expect(loads).toHaveBeenCalledTimes(1);
    expect(refused).not.toHaveBeenCalled();
  });

  it("opens a new one, later and later, when the hub has refused it", async () => {
    const { stream, sources, latest, refused } = setUp();
    stream.start();
    latest().break(true);
    expect(refused).toHaveBeenCalledTimes(1);
    expect(stream.connection.value).toBe("lost");
    await vi.advanceTimersByTimeAsync(1_250);
    expect(sources).toHaveLength(2);
    latest().break(true);
    await vi.advanceTimersByTimeAsync(1_250);
    expect(sources).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_250);
    expect(sources).toHaveLength(3);
  });

  it("begins again when the lists could not be fetched", async () => {
    const { stream, sources, latest, loads } = setUp();
    loads.mockRejectedValueOnce(new Error("no hub"));
    stream.start();
    latest().receive("reset");
    await flushPromises();
    expect(stream.connection.value).toBe("lost");
    await vi.advanceTimersByTimeAsync(1_250);
    expect(sources).toHaveLength(2);
    latest().receive("reset");
    await flushPromises();
    expect(stream.connection.value).toBe("live");
  });

  it("stops for good, and ignores what an old source still says", async () => {
    const { stream, sources, latest, applied, loads } = setUp();
    stream.start();
    const old = latest();
    stream.stop();
    old.receive("reset");
    old.receive("change", change("a"));
    old.break(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(old.close).toHaveBeenCalled();
    expect(sources).toHaveLength(1);
    expect(loads).not.toHaveBeenCalled();
    expect(applied).toEqual([]);
  });

  it("rests without forgetting, and fetches anew when it goes on", async () => {
    const { stream, sources, latest, loads } = setUp();
    stream.start();
    latest().receive("reset");
    await flushPromises();
    stream.rest();
    expect(latest().close).toHaveBeenCalled();
    expect(stream.loaded.value).toBe(true);
    stream.start();
    latest().receive("reset");
    await flushPromises();
    expect(sources).toHaveLength(2);
    expect(loads).toHaveBeenCalledTimes(2);
  });

  it("opens anew after a long silence, and calls the hub lost when that says nothing either", async () => {
    const { stream, sources, latest } = setUp();
    stream.start();
    latest().dispatchEvent(new Event("open"));
    latest().receive("reset");
    await flushPromises();
    await vi.advanceTimersByTimeAsync(50_000);
    latest().receive("change", change("a"));
    await vi.advanceTimersByTimeAsync(50_000);
    expect(sources).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sources).toHaveLength(2);
    expect(sources[0]?.close).toHaveBeenCalled();
    expect(stream.connection.value).toBe("live");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(stream.connection.value).toBe("lost");
    latest().dispatchEvent(new Event("open"));
    latest().receive("reset");
    await flushPromises();
    expect(stream.connection.value).toBe("live");
  });

  it("takes the hub's word that it is alive for a sound", async () => {
    const { stream, sources, latest } = setUp();
    stream.start();
    latest().dispatchEvent(new Event("open"));
    latest().receive("reset");
    await flushPromises();
    for (let n = 0; n < 20; n += 1) {
      await vi.advanceTimersByTimeAsync(15_000);
      latest().receive("alive");
    }
    expect(sources).toHaveLength(1);
    expect(stream.connection.value).toBe("live");
  });

  it("passes over what is not JSON", async () => {
    const { stream, latest, applied } = setUp();
    stream.start();
    latest().receive("reset");
    await flushPromises();
    latest().dispatchEvent(new MessageEvent("change", { data: "{" }));
    latest().receive("change", change("b"));
    await vi.advanceTimersByTimeAsync(100);
    expect(applied).toEqual(["b"]);
  });
});
