// One upload over the wire. XMLHttpRequest, because fetch does not tell how much has been sent.
import { noteStatus } from "@/api/client";
import { uploadUrl } from "@/api/hub";
import { Problem, problemFrom, unreachable } from "@/api/problem";
import type { PrintFile } from "@/api/types";

export interface Transfer {
  done: Promise<PrintFile>;
  abort: () => void;
}

/** Sends the file's bytes; `sent` is told how many have left. `done` fails with a Problem. */
export function sendFile(file: File, sent: (bytes: number) => void): Transfer {
  const request = new XMLHttpRequest();
  const done = new Promise<PrintFile>((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => sent(event.loaded));
    request.addEventListener("load", () => {
      const body = parse(request.responseText);
      if (request.status === 200 || request.status === 201) {
        resolve(body as PrintFile);
      } else {
        noteStatus(request.status);
        reject(problemFrom(request.status, body));
      }
    });
    request.addEventListener("error", () => reject(unreachable()));
    request.addEventListener("abort", () => reject(new Problem(0, "aborted", "")));
  });
  request.open("POST", uploadUrl(file.name));
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, abort: () => request.abort() };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
