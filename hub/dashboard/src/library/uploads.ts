// The one upload queue of the page: it goes on while other pages are looked at.
import { files } from "@/live/live";
import { createUploadQueue } from "./uploadQueue";
import { sendFile } from "./uploadRequest";

export const queue = createUploadQueue({
  send: sendFile,
  // The stream may have told more (the extraction) by the time the answer is here.
  stored: (file) => {
    const held = files.byId.get(file.id);
    if (held === undefined || held.version_id !== file.version_id) files.put(file);
  },
  now: () => performance.now(),
});
