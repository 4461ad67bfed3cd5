// What the Latency Monitor says: the objective, what alerts, and the frames that were late.
import { get } from './daemon.js';
import { clock, count, fixed, ms, percent, stageWords, words } from './format.js';

const $ = (id) => document.getElementById(id);
const LATEST = 5;
const MOST_MUTED = 100;
const MOODS = { info: 'told', warning: 'warn', critical: 'bad', emergency: 'worst' }; // by rising severity

function span(className, text) {
  const node = document.createElement('span');
  node.className = className;
  node.textContent = text;
  return node;
}

function length(seconds) {
  return seconds < 120 ? `${seconds} s` : seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

// --- the objective: how fast each window burns the budget, with a mark where it goes exactly as it may -------------------

function sloRow(window, scale) {
  const over = window.burn_rate > 1 ? 'over' : '';
  const row = document.createElement('li');
  const bar = span('bar', '');
  const fill = document.createElement('i');
  const mark = document.createElement('b');
  fill.className = `bar-burn ${over}`;
  fill.style.width = `${(Math.max(0, window.burn_rate) / scale) * 100}%`;
  mark.className = 'bar-budget';
  mark.style.left = `${100 / scale}%`;
  bar.append(fill, mark);
  row.append(span('stage-name', `Last ${length(window.window_seconds)}`),
    span(`stage-value ${over}`, window.frames_due > 0 ? `${percent(window.on_time_ratio)} on time, ${fixed(window.burn_rate)}×` : 'nothing due yet'), bar);
  row.title = `${count(window.frames_bad)} of ${count(window.frames_due)} frames due were late or lost; the error budget burns at ${fixed(window.burn_rate, 2)} times what it may`;
  return row;
}

function showObjective(slo) {
  const windows = slo ? [slo.short_window, slo.medium_window, slo.long_window] : [];
  const worst = Math.max(0, ...windows.map((w) => w.burn_rate));
  const badge = $('slo-state');
  $('slo-goal').textContent = slo ? `${Number((slo.objective * 100).toFixed(3))} % on time` : '';
  $('slo').replaceChildren(...windows.map((w) => sloRow(w, Math.max(2, worst))));
  badge.textContent = !slo ? '–' : worst > 1 ? `burning at ${fixed(worst)}×` : 'within budget';
  badge.className = `badge ${worst > 6 ? 'bad' : worst > 1 ? 'warn' : 'good'}`;
}

// --- alerts -----------------------------------------------------------------------------------------------------------

function alertRow(alert) {
  const row = document.createElement('li');
  const since = new Date(alert.starts_at);
  row.append(span(`badge ${MOODS[alert.severity] || ''}`, alert.severity), span('alert-text', alert.summary),
    span('dim alert-since', `since ${clock(since)}`));
  row.title = since.toLocaleString();
  return row;
}

let muted = [];

function showMuted() {
  $('muted').hidden = muted.length === 0;
  $('muted-alerts').replaceChildren(...($('muted').open ? muted.slice(0, MOST_MUTED) : []).map(alertRow));
}

function showAlerts(doc) {
  const loud = doc.active.filter((a) => !a.muted);
  muted = doc.active.filter((a) => a.muted);
  const badge = $('alert-count');
  badge.textContent = loud.length ? count(loud.length) : 'none';
  const worst = Object.keys(MOODS).findLast((severity) => loud.some((a) => a.severity === severity));
  badge.className = `badge ${worst ? MOODS[worst] : 'good'}`;
  $('alerts').replaceChildren(...loud.map(alertRow));
  $('muted-title').textContent = `${count(muted.length)} more are part of ${loud.length === 1 ? 'this' : 'these'}`;
  showMuted();
  const down = Object.entries(doc.receivers).filter(([, r]) => r.configured && r.down).map(([name]) => name);
  $('alert-delivery').textContent = down.length ? `Not reached: ${down.join(', ')}` : '';
}

// --- late frames ------------------------------------------------------------------------------------------------------

function violationRow(v) {
  const row = document.createElement('li');
  const facts = [`${stageWords(v.stage)}: ${ms(v.stage_ms)}`];
  if (v.outcome === 'dropped') facts.push(words(v.reason));
  else facts.push(`queued ${ms(v.queue_ms)}`, `batch ${v.batch}`);
  row.append(span('late-camera', v.camera), span('late-total', v.outcome === 'dropped' ? `dropped at ${ms(v.end_to_end_ms)}` : ms(v.end_to_end_ms)),
    span('dim late-facts', facts.join(' · ')), span('dim late-time', clock(v.time)));
  row.title = `Frame ${v.seq}; ${stageWords(v.stage)} may take ${ms(v.stage_budget_ms)}, the whole ${ms(v.deadline_ms)}; trace ${v.trace_id}`;
  return row;
}

function showViolations(doc) {
  const [stage, most] = Object.entries(doc.by_stage).reduce((a, b) => (b[1] > a[1] ? b : a));
  $('late-count').textContent = doc.total ? `${count(doc.total)}, ${percent(most / doc.total)} ${stageWords(stage)}` : '';
  $('late').replaceChildren(...doc.violations.map(violationRow));
  $('late-none').hidden = doc.violations.length > 0;
}

// --- the daemon -------------------------------------------------------------------------------------------------------

async function refresh() {
  try {
    const [alerts, violations] = await Promise.all([get('api/v1/performance/alerts?history=0'),
      get(`api/v1/performance/violations?limit=${LATEST}`)]);
    showObjective(alerts.slo);
    showAlerts(alerts);
    showViolations(violations);
    $('monitor').hidden = false;
  } catch {
    // an older daemon has no such documents; a lost one is told by the headline
  }
}

$('muted').addEventListener('toggle', showMuted);

export async function watchMonitor() {
  await refresh();
  setTimeout(watchMonitor, document.hidden ? 10000 : 2000);
}
