// The emergency stops of the stand-in hub: they arrive where the agent is in reach.
import { randomUUID } from "node:crypto";

const now = () => new Date().toISOString();

export function stopsOf(printers, patch) {
  function stop(id) {
    const printer = printers.get(id);
    const tell = (state) => patch("printer", printer, { state: "error", emergency_stop: { ...printer.emergency_stop, state, state_since: now() } });
    printer.emergency_stop = { id: randomUUID(), asked_by: "Ada Lovelace", asked_at: now(), recorded: true };
    tell("sending");
    setTimeout(() => tell(printer.contact.state === "online" ? "sent_and_reset" : "not_delivered"), 800);
    return printer;
  }

  function stopSeveral({ ids = [], all }) {
    const wanted = all ? [...printers.keys()] : ids;
    return { printers: wanted.filter((id) => printers.has(id)).map(stop), unknown: ids.filter((id) => !printers.has(id)) };
  }

  function clearStop(id) {
    const printer = printers.get(id);
    patch("printer", printer, { state: printer.status?.state ?? "offline", emergency_stop: null });
    return printer;
  }

  return { stop, stopSeveral, clearStop };
}
