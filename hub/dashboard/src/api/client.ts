// The one client of the hub's REST API. Every failure is thrown as a Problem.
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import { Problem, problemFrom, unreachable } from "./problem";

export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });

let whenSignedOut: () => void = () => undefined;

/** Says what to do once the hub no longer knows this session. */
export function onSignedOut(handler: () => void): void {
  whenSignedOut = handler;
}

export function noteStatus(status: number): void {
  if (status === 401) whenSignedOut();
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Waits for an answer and gives its data; throws a Problem otherwise. */
export async function answer<T>(request: Promise<Answer<T>>): Promise<T> {
  let result: Answer<T>;
  try {
    result = await request;
  } catch (error) {
    // A refused connection is a TypeError; an answer that is not JSON (a proxy's page) a SyntaxError.
    if (error instanceof SyntaxError) throw new Problem(0, "not_json", "");
    throw unreachable();
  }
  if (!result.response.ok) {
    noteStatus(result.response.status);
    throw problemFrom(result.response.status, result.error);
  }
  return result.data as T;
}

/** As `answer`, for what a printer is asked: whether it is known to be done (200), or has not been answered yet (202). */
export async function told(request: Promise<Answer<unknown>>): Promise<"done" | "not_known"> {
  await answer(request);
  return (await request).response.status === 202 ? "not_known" : "done";
}
