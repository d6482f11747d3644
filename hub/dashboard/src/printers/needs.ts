// Which printers somebody has to go to: those that are counted beside the word Printers.
import type { Printer, PrintJob } from "@/api/types";
import { awaitsRemoval } from "@/jobs/rules";
import { mayBeHotUnseen } from "./heat";
import { needsPerson } from "./states";

/** What it needed when it was heard last it still needs: nobody who went there could be heard since. */
const neededWhenLastHeard = ({ contact, status }: Printer): boolean =>
  contact.state !== "online" && status !== null && status !== undefined && needsPerson(status.state);

/** Nothing goes on there, or nobody knows how hot it is, until somebody goes there. `job`: the one that is on it. */
export const wantsSomebody = (printer: Printer, job: PrintJob | undefined): boolean =>
  Boolean(printer.emergency_stop) ||
  needsPerson(printer.state) ||
  neededWhenLastHeard(printer) ||
  Boolean(printer.status?.interruption) ||
  (job !== undefined && awaitsRemoval(job)) ||
  mayBeHotUnseen(printer, job);
