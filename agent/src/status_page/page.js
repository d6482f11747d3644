// Asks for /status.json every second and changes only what is different: nothing flickers, and a screen reader hears
// what is new. What comes from printers and files is text, never markup.
'use strict';

const EVERY_MS = 1000;
const PATIENCE_MS = 5000;
const STATES = {
  idle: ['Idle', 'idle'],
  connecting: ['Connecting', 'off'],
  offline: ['Offline', 'trouble'],
  preparing: ['Preparing', 'busy'],
  printing: ['Printing', 'busy'],
  paused: ['Paused', 'paused'],
  attention: ['Needs you', 'trouble'],
  error: ['Error', 'trouble'],
};
const cards = new Map();
const byId = (id) => document.getElementById(id);

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A list of texts as so many elements.
function fill(parent, texts, tag) {
  while (parent.children.length > texts.length) parent.lastElementChild.remove();
  texts.forEach((text, index) => {
    if (!parent.children[index]) parent.append(document.createElement(tag));
    set(parent.children[index], text);
  });
}

function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return 'less than a minute';
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// What a person should know or do, most urgent first.
function problems(printer) {
  const { status } = printer;
  const said = [];
  if (printer.pin_withheld) {
    said.push('Its PIN is on its display and in “sudo stardust-agent status”; type it into the dashboard (Add printer, I have a PIN).');
  }
  if (status.message && !printer.pin_withheld) said.push(status.message);
  if (printer.may_be_hot) {
    said.push('It may be hot: its heaters stay as they were set until the agent reaches it again. Switch it off if nobody watches it.');
  }
  if (status.preheat && printer.preheat_minutes) {
    const what = status.preheat.reason === 'interrupted' ? 'Its bed is kept warm' : 'Preheated';
    said.push(`${what} for ${duration(printer.preheat_minutes * 60)} more.`);
  }
  if (status.attention) said.push('Answer on the dashboard or at the printer.');
  const { interruption } = status;
  if (interruption) {
    const where = interruption.layer ? ` in layer ${interruption.layer}` : '';
    said.push(`The print was cut off${where}.`);
    said.push(interruption.refusal || 'Look at the part, then say on the dashboard from which layer it goes on, or give it up.');
  }
  return said;
}

function showJob(card, printer) {
  const job = printer.status.job;
  card.job.hidden = !job;
  if (!job) return;
  const percent = Math.floor(job.fraction * 100);
  set(card.file, printer.file_name || 'A file without a name');
  set(card.percent, `${percent} %`);
  if (card.progress.value !== percent) card.progress.value = percent;
  card.progress.setAttribute('aria-label', `Progress of ${printer.name}`);
  set(card.left, job.left_s === undefined ? '' : `${duration(job.left_s)} left`);
  set(card.layer, job.layer ? `Layer ${job.layer}` : '');
}

function showHeat(list, status) {
  // What a printer that is away measured last is not told as if it were so now.
  const isAway = ['offline', 'connecting'].includes(status.state);
  const several = status.tools.length > 1;
  const heaters = status.tools.map((tool, index) => [several ? `Nozzle ${index + 1}` : 'Nozzle', tool]);
  if (status.bed) heaters.push(['Bed', status.bed]);
  if (status.chamber) heaters.push(['Chamber', status.chamber]);
  if (isAway) heaters.length = 0;
  while (list.children.length > heaters.length) list.lastElementChild.remove();
  heaters.forEach(([name, heater], index) => {
    if (!list.children[index]) {
      const row = document.createElement('div');
      row.append(document.createElement('dt'), document.createElement('dd'));
      row.lastChild.append(document.createTextNode(''), document.createElement('span'));
      list.append(row);
    }
    const [term, value] = list.children[index].children;
    set(term, name);
    set(value.firstChild, `${heater.actual.toFixed(0)} °C`);
    set(value.lastChild, heater.target > 0 ? ` of ${heater.target.toFixed(0)}` : ' off');
  });
}

// The hub's address is a link only if it is one for a browser.
function showLink(paragraph, printer) {
  const key = `${printer.link}\n${printer.hub}`;
  if (paragraph.dataset.shown === key) return;
  paragraph.dataset.shown = key;
  paragraph.textContent = printer.link;
  if (/^https?:\/\//.test(printer.hub)) {
    const link = document.createElement('a');
    link.href = printer.hub;
    link.rel = 'noreferrer';
    link.textContent = printer.hub;
    paragraph.append(' ', link);
  }
}

function show(card, printer) {
  const { status } = printer;
  const [word, tone] = printer.pin_withheld ? ['Not paired', 'off'] : STATES[status.state] || [status.state, 'off'];
  set(card.name, printer.name);
  set(card.state, word);
  const said = problems(printer);
  fill(card.problem, said, 'p');
  card.problem.hidden = said.length === 0;
  if (card.section.dataset.tone !== tone) card.section.dataset.tone = tone;
  showJob(card, printer);
  showHeat(card.heat, status);
  showLink(card.link, printer);
  const waiting = printer.undelivered_events;
  set(card.waiting, waiting ? `${waiting} ${waiting === 1 ? 'event waits' : 'events wait'} for the hub; nothing is lost.` : '');
  const last = printer.last_error;
  const isNew = last && last.message !== status.message;
  set(card.error, isNew ? `Last error, ${new Date(last.at).toLocaleString()}: ${last.message}` : '');
  set(card.port, [printer.port, status.firmware].filter(Boolean).join(' · '));
}

function newCard(index) {
  const section = byId('printer').content.cloneNode(true).firstElementChild;
  const find = (selector) => section.querySelector(selector);
  const card = { section, name: find('h2') };
  for (const part of ['state', 'problem', 'job', 'file', 'percent', 'left', 'layer', 'heat', 'link', 'waiting', 'error', 'port']) {
    card[part] = find(`.${part}`);
  }
  card.progress = find('progress');
  card.name.id = `printer-${index}`;
  section.setAttribute('aria-labelledby', card.name.id);
  return card;
}

function showAll(report) {
  const printers = byId('printers');
  const names = new Set(report.printers.map((printer) => printer.name));
  for (const [name, card] of cards) {
    if (names.has(name)) continue;
    card.section.remove();
    cards.delete(name);
  }
  report.printers.forEach((printer, index) => {
    let card = cards.get(printer.name);
    if (!card) {
      card = newCard(index);
      cards.set(printer.name, card);
    }
    if (printers.children[index] !== card.section) printers.insertBefore(card.section, printers.children[index] || null);
    show(card, printer);
  });
  set(byId('version'), `stardust-agent ${report.version}`);
  const none = 'No printer is paired yet. On the dashboard: Add printer; it shows the command to type on this machine.';
  note(report.printers.length ? '' : none, false);
}

function note(text, isTrouble) {
  set(byId('note'), text);
  byId('note').classList.toggle('trouble', isTrouble);
  byId('printers').classList.toggle('old', isTrouble);
}

async function ask() {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    const answer = await fetch('/status.json', { cache: 'no-store', signal: patience.signal });
    if (!answer.ok) throw new Error(await answer.text());
    showAll(await answer.json());
  } catch {
    note('The agent does not answer. It may be restarting: this page goes on asking. Otherwise: sudo systemctl status stardust-agent', true);
  } finally {
    clearTimeout(timer);
  }
  setTimeout(ask, EVERY_MS);
}

ask();
