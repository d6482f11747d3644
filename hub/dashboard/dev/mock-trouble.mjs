// What does not happen on a good day: a print that failed and still lies there, a printer of which nothing was ever heard, and those that
// may be hot where nobody reaches them.
const FAILURE = "The agent was restarted in mid-print and has nothing to go on by: the print could not go on. The heaters were turned off; clear the bed and print the job again.";

export function trouble({ printers, addPrinter, order, claim, go, patch, ago }, fileId) {
  const printer = [...printers.values()].find((p) => p.name === "Voron");
  const job = order({ file_id: fileId, printer_id: printer.id });
  claim(job);
  go(job, "failed", printer.name, FAILURE);
  patch("job", job, { reason: FAILURE, started_at: ago(50), finished_at: ago(3), needs_removal: true });
  patch("printer", printer, { state: "awaiting_removal" });
  addPrinter("Not unpacked yet", "Original Prusa MINI+", "offline", { contact: { state: "never" }, status: undefined });
  // Its cable is out; its agent is out of reach as well; both, in mid-print.
  const hot = { state: "offline", message: "There is no port /dev/serial/by-id/usb-Prusa_Research__Original_Prusa_MK4-if00: is the printer connected and switched on?",
    tools: [{ actual: 214.8, target: 215 }], bed: { actual: 59.7, target: 60 }, may_be_hot: true };
  const gone = { contact: { state: "lost", since: ago(12) } };
  addPrinter("Cable out", "Original Prusa MK4", "offline", { status: hot });
  addPrinter("Cable and agent out", "Original Prusa MK4", "offline", { status: hot, ...gone });
  const printing = addPrinter("Out in mid-print", "Original Prusa MK4");
  const lost = order({ file_id: fileId, printer_id: printing.id });
  claim(lost);
  go(lost, "printing", printing.name);
  Object.assign(lost.progress, { fraction: 0.62 });
  patch("printer", printing, { state: "offline", status: { ...hot, job: lost.progress }, ...gone });
}
