// The dashboard: one document a second for the figures, one stream for the pictures.
import { LatencyChart, drawStages } from './charts.js';
import { watchClips } from './clips.js';
import { ask } from './daemon.js';
import { count, duration, fixed, memory, ms, percent, words } from './format.js';
import { watchMonitor } from './monitor.js';
import { poolsInTrouble, watchPools } from './pools.js';
import { debtWords, editQuality, levelClass, qualityWords, setUpQuality, watchQuality } from './quality.js';
import { Wall, stateClass } from './wall.js';

const $ = (id) => document.getElementById(id);
const wall = new Wall($('wall'));
const chart = new LatencyChart($('latency'));
const rows = new Map();

// --- figures ---------------------------------------------------------------------------------------------------------

function kpi(name, value, sub, mood = '') {
  const card = $(`kpi-${name}`);
  card.querySelector('.value').textContent = value;
  card.querySelector('.value').className = `value ${mood && `is-${mood}`}`;
  card.querySelector('.sub').textContent = sub;
}

function showHeader(doc) {
  const pill = $('state');
  pill.textContent = doc.state;
  pill.className = `pill ${{ ok: 'good', down: 'bad' }[doc.state] || 'warn'}`;
  $('state-reason').textContent = [doc.state_reason, poolsInTrouble(doc.pools)].filter(Boolean).join('; ');
  $('fact-model').textContent = doc.engine.model || 'none';
  $('fact-model').title = doc.engine.model || '';
  $('fact-engine').textContent = `${doc.engine.backend} · ${doc.engine.precision} · ${doc.engine.width}×${doc.engine.height}`;
  $('fact-engine').title = doc.engine.device;
  $('fact-uptime').textContent = duration(doc.uptime_seconds);
  $('fact-version').textContent = doc.version;
}

function showKpis(doc) {
  const recent = doc.end_to_end_recent_ms;
  const any = recent.count > 0;
  const late = any && recent.p95 > doc.latency_sla_ms;
  kpi('latency', any ? ms(recent.p95) : '–', any ? `p50 ${fixed(recent.p50, 0)} · p99 ${fixed(recent.p99, 0)} · SLA ${fixed(doc.latency_sla_ms, 0)}` : `SLA ${ms(doc.latency_sla_ms)}`,
    any ? (late ? 'bad' : 'good') : '');
  const due = doc.ledger.expected - doc.ledger.skipped;
  kpi('ontime', due > 0 ? percent(doc.ledger.on_time_ratio) : '–', `${count(doc.ledger.delivered)} of ${count(due)} frames due`,
    due > 0 ? (doc.ledger.on_time_ratio >= 0.95 ? 'good' : doc.ledger.on_time_ratio >= 0.8 ? 'warn' : 'bad') : '');
  kpi('fps', fixed(doc.analysed_fps, doc.analysed_fps < 100 ? 1 : 0), `frames/s · ${fixed(doc.batch_mean)} a batch`);
  const { running, total, limit } = doc.camera_counts;
  kpi('cameras', `${running} / ${total}`, `up to ${limit}`, total ? (running === total ? 'good' : running ? 'warn' : 'bad') : '');
  kpi('cpu', `${fixed(doc.process.cpu_percent, 0)} %`, `of ${doc.process.cpus * 100} % on ${doc.process.cpus} cores`);
  kpi('memory', memory(doc.process.rss_mb), `of ${memory(doc.process.memory_mb)}`);
}

const OUTCOMES = [['delivered', '--good'], ['late', '--warn'], ['skipped', '--wait'], ['dropped', '--bad'],
  ['corrupt', '--accent'], ['missing', '--dim'], ['in_flight', '--accent-2']];

function showLedger(ledger) {
  const value = (key) => (key === 'dropped' ? ledger.dropped.total : ledger[key]);
  const bar = $('ledger-bar');
  const list = $('ledger');
  if (!list.children.length) {
    for (const [key, colour] of [['expected', ''], ...OUTCOMES]) {
      const row = document.createElement('div');
      const dt = document.createElement('dt');
      dt.textContent = words(key);
      if (colour) dt.style.setProperty('--swatch', `var(${colour})`);
      row.append(dt, document.createElement('dd'));
      row.dataset.key = key;
      list.append(row);
      if (!colour) continue;
      const part = document.createElement('i');
      part.style.background = `var(${colour})`;
      part.dataset.key = key;
      bar.append(part);
    }
  }
  for (const row of list.children) row.lastChild.textContent = count(value(row.dataset.key));
  for (const part of bar.children) part.style.flexGrow = value(part.dataset.key) || 0;
  const balance = $('balance');
  balance.textContent = ledger.balance === 0 ? 'balanced' : `off by ${count(ledger.balance)}`;
  balance.className = `badge ${ledger.balance === 0 ? 'good' : 'bad'}`;
  $('drops').replaceChildren(...ledger.dropped.by.map((drop) => {
    const item = document.createElement('li');
    const what = document.createElement('span');
    const many = document.createElement('span');
    what.textContent = `${words(drop.stage)}: ${words(drop.reason)}`;
    many.textContent = count(drop.count);
    item.append(what, many);
    return item;
  }));
}

// --- table -----------------------------------------------------------------------------------------------------------

const COLUMNS = [
  (c) => c.id, (c) => c.state, (c) => qualityWords(c.quality), (c) => fixed(c.source_fps), (c) => fixed(c.analysed_fps), (c) => ms(c.age_ms),
  (c) => ms(c.latency_ms), (c) => count(c.boxes), (c) => count(c.ledger.expected), (c) => count(c.ledger.delivered),
  (c) => count(c.ledger.late), (c) => count(c.ledger.skipped), (c) => count(c.ledger.dropped.total),
  (c) => count(c.ledger.corrupt), (c) => count(c.ledger.missing), (c) => c.last_error || c.url,
];

const known = new Map(); // id -> the camera as of the last look

function qualityButton(id) {
  const button = document.createElement('button');
  button.addEventListener('click', () => editQuality(known.get(id)));
  return button;
}

function createRow(id) {
  const row = document.createElement('tr');
  COLUMNS.forEach((_, i) => {
    const cell = document.createElement('td');
    if (i >= 3 && i < COLUMNS.length - 1) cell.className = 'n';
    if (i === COLUMNS.length - 1) cell.className = 'source';
    if (i === 1) cell.append(document.createElement('span'));
    if (i === 2) cell.append(qualityButton(id));
    row.append(cell);
  });
  const last = document.createElement('td');
  const button = document.createElement('button');
  button.className = 'remove';
  button.textContent = 'Remove';
  button.setAttribute('aria-label', `Remove ${id}`);
  button.addEventListener('click', () => removeCamera(id));
  last.append(button);
  row.append(last);
  $('rows').append(row);
  rows.set(id, row);
  return row;
}

const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function showTable(cameras, sla) {
  const ids = new Set(cameras.map((c) => c.id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.remove();
    rows.delete(id);
    known.delete(id);
  }
  for (const camera of cameras) {
    const row = rows.get(camera.id) || createRow(camera.id);
    known.set(camera.id, camera);
    COLUMNS.forEach((value, i) => set(row.cells[i].firstElementChild || row.cells[i], i === 1 ? words(value(camera)) : value(camera)));
    row.cells[2].firstElementChild.className = `level ${levelClass(camera.quality_level)}`;
    row.cells[2].firstElementChild.title = debtWords(camera.quality) || 'Fix the level, or raise it for a while';
    row.cells[1].firstChild.className = `badge ${stateClass(camera.state)}`;
    row.cells[6].classList.toggle('hot', camera.latency_ms > sla);
    row.cells[COLUMNS.length - 1].title = sourceOf(camera);
  }
}

const sourceOf = (camera) => (camera.last_error ? `${camera.url}: ${camera.last_error}` : camera.url);

// --- the daemon ------------------------------------------------------------------------------------------------------

function show(doc) {
  showHeader(doc);
  showKpis(doc);
  showLedger(doc.ledger);
  showTable(doc.cameras, doc.latency_sla_ms);
  drawStages($('stages'), doc.stages_recent || doc.stages);
  if (doc.end_to_end_recent_ms.count) {
    chart.add(performance.now() / 1000, doc.end_to_end_recent_ms.p50, doc.end_to_end_recent_ms.p95);
    chart.draw(doc.latency_sla_ms);
  }
  wall.update(doc.cameras);
  $('empty').hidden = doc.cameras.length > 0;
  const viewers = Object.values(doc.viewers);
  const sum = (key) => viewers.reduce((n, v) => n + v[key], 0);
  $('viewers').textContent = `${sum('now')} watching · ${count(sum('dropped'))} pictures and events lost to slow viewers`;
  document.title = `${doc.camera_counts.running}/${doc.camera_counts.total} cameras · ITS Camera AI`;
}

function setOnline(online) {
  $('lost').hidden = online;
  document.body.classList.toggle('offline', !online);
  if (!online) {
    $('state').textContent = 'no connection';
    $('state').className = 'pill bad';
    $('state-reason').textContent = '';
  }
}

let heard = performance.now(); // when the daemon last answered

async function refresh() {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 3000);
  try {
    const response = await fetch('api/v1/overview', { signal: abort.signal });
    if (response.status === 401) {
      location.reload(); // the token has changed: the server shows the way in
      return;
    }
    if (!response.ok) throw new Error(`overview: ${response.status}`);
    const doc = await response.json();
    heard = performance.now();
    setOnline(true);
    show(doc);
  } catch {
    if (performance.now() - heard > 3500) setOnline(false);
  } finally {
    clearTimeout(timer);
  }
}

async function loop() {
  await refresh();
  setTimeout(loop, document.hidden ? 5000 : 1000);
}

// --- commands --------------------------------------------------------------------------------------------------------

async function removeCamera(id) {
  if (!window.confirm(`Remove camera ${id}?`)) return;
  try {
    await ask('DELETE', `api/v1/cameras/${id}`);
  } catch (error) {
    window.alert(`${id} was not removed: ${error.message}`);
  }
  refresh();
}

function setUpDialog() {
  const dialog = $('add-dialog');
  const form = $('add-form');
  $('add').addEventListener('click', () => {
    form.reset();
    $('add-error').textContent = '';
    dialog.showModal();
  });
  $('add-cancel').addEventListener('click', () => dialog.close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const camera = { url: form.elements.url.value.trim(), priority: Number(form.elements.priority.value) };
    const id = form.elements.id.value.trim();
    if (id) camera.id = id;
    try {
      await ask('POST', 'api/v1/cameras', camera);
      dialog.close();
      refresh();
    } catch (error) {
      $('add-error').textContent = error.message;
    }
  });
}

function setSize(size) {
  $('wall').dataset.size = size;
  for (const button of document.querySelectorAll('[data-size][aria-pressed]')) {
    button.setAttribute('aria-pressed', String(button.dataset.size === size));
  }
  localStorage.setItem('tile-size', size);
  wall.plan();
}

document.querySelectorAll('button[data-size]').forEach((button) => button.addEventListener('click', () => setSize(button.dataset.size)));
$('boxes').addEventListener('change', (event) => wall.setBoxes(event.target.checked));
$('filter').addEventListener('input', (event) => wall.setFilter(event.target.value));
setSize(localStorage.getItem('tile-size') || 'm');
setUpDialog();
setUpQuality(refresh);
loop();
watchMonitor();
watchClips();
watchQuality();
watchPools();
