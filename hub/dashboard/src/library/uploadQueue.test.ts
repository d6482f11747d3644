import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/problem";
import type { PrintFile } from "@/api/types";
import { fileSample } from "@/testing/samples";
import { createUploadQueue } from "./uploadQueue";

interface Sending {
  name: string;
  sent: (bytes: number) => void;
  succeed: (file: PrintFile) => void;
  fail: (error: unknown) => void;
  abort: ReturnType<typeof vi.fn>;
}

let sending: Sending[];
let clock: number;
const stored = vi.fn();

function setUp(atOnce = 2) {
  return createUploadQueue({
    atOnce,
    stored,
    now: () => clock,
    send: (file, sent) => {
      let succeed: (file: PrintFile) => void = () => undefined;
      let fail: (error: unknown) => void = () => undefined;
      const done = new Promise<PrintFile>((resolve, reject) => { succeed = resolve; fail = reject; });
      const abort = vi.fn(() => fail(new Problem(0, "aborted", "")));
      sending.push({ name: file.name, sent, succeed, fail, abort });
      return { done, abort };
    },
  });
}

const file = (name: string, size = 1000): File => new File([new Uint8Array(size)], name);
const states = (queue: ReturnType<typeof setUp>): string[] => [...queue.uploads.values()].map((upload) => `${upload.name} ${upload.state}`);
const nth = (index: number): Sending => {
  const found = sending[index];
  if (!found) throw new Error(`no transfer ${String(index)} was begun`);
  return found;
};

beforeEach(() => {
  sending = [];
  clock = 0;
  stored.mockReset();
});

describe("the upload queue", () => {
  it("sends a few at a time, in the order given", async () => {
    const queue = setUp();
    queue.add([file("a"), file("b"), file("c")]);
    expect(states(queue)).toEqual(["a sending", "b sending", "c waiting"]);
    nth(0).succeed(fileSample({ name: "a" }));
    await flushPromises();
    expect(states(queue)).toEqual(["a done", "b sending", "c sending"]);
    expect(stored).toHaveBeenCalledWith(fileSample({ name: "a" }));
  });

  it("tells how much was sent, and how fast", () => {
    const queue = setUp();
    queue.add([file("a", 4000)]);
    clock = 1_000;
    nth(0).sent(1_000);
    expect([...queue.uploads.values()][0]).toMatchObject({ sent: 1_000, speed: 1_000 });
    clock = 2_000;
    nth(0).sent(4_000);
    expect([...queue.uploads.values()][0]).toMatchObject({ sent: 4_000, speed: 2_000 });
  });

  it("keeps what the hub said when it failed, and tries again when asked", async () => {
    const queue = setUp();
    queue.add([file("a")]);
    const problem = new Problem(422, "not_gcode", "a is not a G-code file.");
    nth(0).fail(problem);
    await flushPromises();
    expect([...queue.uploads.values()][0]).toMatchObject({ state: "failed", error: problem });
    queue.retry(1);
    expect(states(queue)).toEqual(["a sending"]);
    expect([...queue.uploads.values()][0]?.error).toBeUndefined();
    nth(1).succeed(fileSample());
    await flushPromises();
    expect(states(queue)).toEqual(["a done"]);
  });

  it("cancels what is being sent and gives its place to the next", async () => {
    const queue = setUp(1);
    queue.add([file("a"), file("b"), file("c")]);
    queue.cancel(3);
    queue.cancel(1);
    await flushPromises();
    expect(nth(0).abort).toHaveBeenCalled();
    expect(states(queue)).toEqual(["a cancelled", "b sending", "c cancelled"]);
    expect(sending.map((transfer) => transfer.name)).toEqual(["a", "b"]);
  });

  it("does not take a running upload off the list", async () => {
    const queue = setUp();
    queue.add([file("a")]);
    queue.dismiss(1);
    expect(queue.uploads.size).toBe(1);
    nth(0).succeed(fileSample());
    await flushPromises();
    queue.dismiss(1);
    expect(queue.uploads.size).toBe(0);
  });
});
