// What the Adaptive Quality Manager does: how loaded the machine is, which level each camera has, what changed and why;
// and an operator's word on one camera.
import { ask, get } from './daemon.js';
import { clock, count, duration, fixed, ms, percent, words } from './format.js';

const $ = (id) => document.getElementById(id);
const LATEST = 6;
export const LEVELS = ['ultra_high', 'high', 'medium', 'low', 'ultra_low'];
const CONDITIONS = { optimal: 'good', elevated: 'good', high: 'warn', critical: 'bad', overload: 'worst' };
const PRESSURES = { calm: 'good', steady: 'told', overloaded: 'warn', critical: 'bad' };
const KNOBS = { // turned down, turned up
  decode: ['less decoding', 'more decoding'],
  compute: ['less detection', 'more detection'],
  encode: ['smaller pictures', 'larger pictures'],
};

export const levelClass = (level) => `level-${level.replace('_', '-')}`;

function element(name, className, text = '') {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

// --- the panel --------------------------------------------------------------------------------------------------------

function createLevels() {
  for (const level of LEVELS) {
    const part = element('i', levelClass(level));
    const row = document.createElement('div');
    row.append(element('dt', levelClass(level), words(level)), document.createElement('dd'));
    $('level-bar').append(part);
    $('levels').append(row);
  }
}

function showLevels(doc) {
  if (!$('levels').children.length) createLevels();
  LEVELS.forEach((level, i) => {
    const cameras = doc.quality_distribution[level];
    $('level-bar').children[i].style.flexGrow = cameras;
    $('level-bar').children[i].hidden = cameras === 0;
    $('levels').children[i].lastChild.textContent = count(cameras);
  });
}

// What all cameras below full quality miss, as far as it is known.
function owed(debt) {
  if (!debt) return '–'; // an older daemon
  if (debt.cameras_below_full === 0) return 'nothing';
  return debt.missed_per_hour === null ? 'not known yet' : `${count(debt.missed_per_hour)} objects/h`;
}

// When quality comes back, or why it does not.
function rising(doc) {
  if (doc.recovery_in_progress) return 'now';
  if (doc.held_why && !['calm', 'load'].includes(doc.held_by)) return `held: ${doc.held_why}`;
  return doc.recovery_in_seconds ? `in ${duration(doc.recovery_in_seconds)}` : '–';
}

function showFigures(doc) {
  const figures = [['Slack', ms(doc.inputs.slack_ms)], ['Busy', percent(doc.inputs.busy)],
    ['Demand', percent(doc.inputs.utilisation)], ['On time', percent(doc.inputs.on_time_ratio)],
    ['Fullest', doc.bottleneck === 'cpu' ? 'CPU' : words(doc.bottleneck)],
    ['Missed', owed(doc.debt)],
    ['Rising', rising(doc)]];
  $('quality-figures').replaceChildren(...figures.map(([name, value]) => {
    const row = document.createElement('div');
    row.append(element('dt', '', name), element('dd', '', value));
    return row;
  }));
}

function changeRow(change) {
  const row = document.createElement('li');
  const what = element('span', 'change-what');
  const knob = change.to_rung === change.from_rung ? change.knob : KNOBS[change.knob][change.to_rung > change.from_rung ? 0 : 1];
  what.append(element('b', '', change.camera || 'a camera since removed'),
    change.from === change.to ? ` stays ${words(change.to)}` : ` ${words(change.from)} → ${words(change.to)}`);
  row.append(element('i', levelClass(change.to)), what, element('span', 'dim change-time', clock(change.time)),
    element('span', 'dim change-why', `${knob}: ${change.why}`));
  row.title = change.sentence;
  return row;
}

function show(doc) {
  const condition = doc.system_metrics.load_condition;
  $('load-condition').textContent = condition === 'overload' ? condition : `${condition} load`;
  $('load-condition').className = `badge ${CONDITIONS[condition]}`;
  $('pressure').textContent = doc.enabled ? doc.pressure : 'not adapting';
  $('pressure').className = `badge ${doc.enabled ? PRESSURES[doc.pressure] : 'told'}`;
  showLevels(doc);
  showFigures(doc);
  $('changes-total').textContent = doc.total_adjustments ? `${count(doc.total_adjustments)} since the start` : '';
  $('changes').replaceChildren(...doc.recent_adjustments.map(changeRow));
  $('changes-none').hidden = doc.recent_adjustments.length > 0;
  $('quality').hidden = false;
}

export async function watchQuality() {
  try {
    show(await get(`api/v1/performance/quality?changes=${LATEST}`));
  } catch {
    // an older daemon has no such document; a lost one is told by the headline
  }
  setTimeout(watchQuality, document.hidden ? 10000 : 2000);
}

// --- one camera -------------------------------------------------------------------------------------------------------

// What is said of it in a table: the level, and whose word it is where it is not the load's.
export function qualityWords(quality) {
  if (quality.pin) return `${words(quality.current_quality)}, pinned`;
  if (quality.boost) return `${words(quality.current_quality)}, boosted`;
  return words(quality.current_quality);
}

function fillLevels(select) {
  select.replaceChildren(new Option('none', ''), ...LEVELS.map((level) => new Option(words(level), level)));
}

// What its level misses, in a sentence; empty at full quality.
export function debtWords({ debt }) {
  if (!debt) return '';
  if (debt.missed_share === null) return `What it misses is not known yet: ${count(debt.pictures)} pictures were compared with full analysis.`;
  const share = `${percent(debt.missed_share)} (${percent(debt.missed_share_low)} to ${percent(debt.missed_share_high)})`;
  const hour = debt.missed_per_hour === null ? '' : `, about ${count(debt.missed_per_hour)} objects an hour`;
  return `It misses ${share} of what full analysis finds${hour}.`;
}

let edited = null; // id of the camera in the dialog

// A pin goes before a boost: with one there is nothing to boost.
function enableBoost(elements) {
  if (elements.pin.value) elements.boost.value = '';
  elements.boost.disabled = Boolean(elements.pin.value);
  elements.minutes.disabled = !elements.boost.value;
}

export function editQuality(camera) {
  const { pin, boost, boost_seconds_left: left } = camera.quality;
  const { elements } = $('quality-form');
  edited = camera.id;
  $('quality-title').textContent = `Quality of ${camera.id}`;
  elements.pin.value = pin || '';
  elements.boost.value = boost || '';
  elements.minutes.value = boost ? Math.max(1, Math.round(left / 60)) : 5;
  enableBoost(elements);
  $('quality-now').textContent = `Now ${qualityWords(camera.quality)}: ${fixed(camera.analysed_fps)} of ${fixed(camera.source_fps)} frames/s, detected at ${camera.quality.target.input_width}×${camera.quality.target.input_height}.${camera.quality.held_why ? ` Held there: ${camera.quality.held_why}.` : ''}${camera.quality.note ? ` Note: ${camera.quality.note}.` : ''} ${debtWords(camera.quality)}`;
  $('quality-error').textContent = '';
  $('quality-dialog').showModal();
}

// refresh: called when something was changed.
export function setUpQuality(refresh) {
  const form = $('quality-form');
  fillLevels(form.elements.pin);
  fillLevels(form.elements.boost);
  form.addEventListener('change', () => enableBoost(form.elements));
  $('quality-cancel').addEventListener('click', () => $('quality-dialog').close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const wish = { pin: form.elements.pin.value || null, boost: form.elements.boost.value || null };
    if (wish.boost) wish.seconds = Number(form.elements.minutes.value) * 60;
    try {
      await ask('POST', `api/v1/cameras/${edited}/quality`, wish);
      $('quality-dialog').close();
      refresh();
    } catch (error) {
      $('quality-error').textContent = error.message;
    }
  });
}
