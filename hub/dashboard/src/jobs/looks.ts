// How a job's state looks: an icon and a tone; the word comes from the translations.
import {
  mdiAccountClockOutline, mdiAlertCircleOutline, mdiCancel, mdiCheckCircleOutline, mdiClockOutline, mdiDownloadOutline,
  mdiHandBackRightOutline, mdiPauseCircleOutline, mdiPrinter3dNozzleOutline, mdiThermometerChevronUp, mdiTrayRemove,
} from "@mdi/js";
import type { JobState } from "@/api/types";
import type { Tone } from "@/printers/states";

export const JOB_LOOKS: Record<JobState, { icon: string; tone: Tone }> = {
  awaiting_approval: { icon: mdiAccountClockOutline, tone: "waiting" },
  queued: { icon: mdiClockOutline, tone: "off" },
  claimed: { icon: mdiHandBackRightOutline, tone: "busy" },
  transferring: { icon: mdiDownloadOutline, tone: "busy" },
  preparing: { icon: mdiThermometerChevronUp, tone: "busy" },
  printing: { icon: mdiPrinter3dNozzleOutline, tone: "busy" },
  pausing: { icon: mdiPauseCircleOutline, tone: "paused" },
  paused: { icon: mdiPauseCircleOutline, tone: "paused" },
  resuming: { icon: mdiPrinter3dNozzleOutline, tone: "busy" },
  awaiting_removal: { icon: mdiTrayRemove, tone: "waiting" },
  finished: { icon: mdiCheckCircleOutline, tone: "idle" },
  cancelling: { icon: mdiCancel, tone: "off" },
  cancelled: { icon: mdiCancel, tone: "off" },
  failed: { icon: mdiAlertCircleOutline, tone: "trouble" },
};

/** Where it is only on its way: the word of a chip says that it takes a while. */
const UNDER_WAY: ReadonlySet<JobState> = new Set(["pausing", "resuming", "cancelling"]);

/** The key of the word for where a job is now. */
export const jobWordOf = (state: JobState): string => (UNDER_WAY.has(state) ? `job.${state}` : `job.state.${state}`);

export const JOB_STATES = Object.keys(JOB_LOOKS) as JobState[];
