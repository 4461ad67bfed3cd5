// Clips of incidents: what there is, in the making or failed, and one of them playing.
import { ask, get } from './daemon.js';
import { clock, count, fixed, memory } from './format.js';

const $ = (id) => document.getElementById(id);
const LATEST = 50;
const MEBIBYTE = 1024 * 1024;
const STATES = { waiting: 'told', writing: 'told', failed: 'bad' }; // a written one shows its length instead
let playing = null; // name of the clip that is shown
let listed = ''; // what the list is made of: it is not made anew under a reader's hand

const address = (name) => `api/v1/clips/${encodeURIComponent(name)}`;

function span(className, text) {
  const node = document.createElement('span');
  node.className = className;
  node.textContent = text;
  return node;
}

function when(time) {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  return today ? clock(date) : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })}, ${clock(date)}`;
}

function clipRow(clip) {
  const row = document.createElement('li');
  const button = document.createElement('button');
  const state = STATES[clip.state];
  button.type = 'button';
  button.disabled = clip.state !== 'written';
  button.setAttribute('aria-pressed', String(clip.name === playing));
  button.append(span('dim', when(clip.time)), span('clip-camera', clip.camera),
    state ? span(`badge ${state}`, clip.state) : span('', `${fixed(clip.seconds)} s`),
    span('dim clip-why', [clip.why, clip.note].filter(Boolean).join(' · ')),
    span('dim', clip.bytes ? `${fixed(clip.bytes / MEBIBYTE)} MB` : ''));
  button.title = [clip.name, clip.why, clip.note, clip.flight_record && `flight record ${clip.flight_record}`].filter(Boolean).join('\n');
  button.addEventListener('click', () => play(clip));
  row.append(button);
  return row;
}

// --- the player -------------------------------------------------------------------------------------------------------

function stop() {
  const video = $('clip-video');
  playing = null;
  video.pause();
  video.removeAttribute('src');
  video.load(); // lets go of the connection
  $('clip').hidden = true;
  $('clips-view').classList.remove('plays');
}

function play(clip) {
  const video = $('clip-video');
  playing = clip.name;
  $('clip').hidden = false;
  $('clips-view').classList.add('plays');
  $('clip-caption').textContent = `${clip.camera}, ${when(clip.time)}${clip.why ? `: ${clip.why}` : ''}`;
  $('clip-save').href = address(clip.name);
  video.src = address(clip.name);
  video.play().catch(() => {}); // a browser may not let it; it has controls
  show();
}

async function remove() {
  const name = playing;
  stop();
  try {
    await ask('DELETE', address(name));
    await show();
  } catch (error) {
    $('clips-kept').textContent = error.message;
  }
}

// --- the daemon -------------------------------------------------------------------------------------------------------

async function show() {
  const doc = await get(`api/v1/clips?limit=${LATEST}`);
  const making = $('clips-making');
  $('clips-card').hidden = !doc.enabled;
  making.hidden = doc.waiting === 0;
  making.textContent = `${count(doc.waiting)} in the making`;
  making.className = 'badge told';
  $('clips-kept').textContent = doc.kept ? `${count(doc.kept)} kept, ${memory(doc.bytes / MEBIBYTE)}` : '';
  const text = JSON.stringify([doc.clips, playing]);
  if (text !== listed) $('clips').replaceChildren(...doc.clips.map(clipRow));
  listed = text;
  $('clips-none').hidden = doc.clips.length > 0;
}

$('clip-close').addEventListener('click', () => {
  stop();
  show().catch(() => {});
});
$('clip-delete').addEventListener('click', remove);
$('clip-video').addEventListener('error', () => {
  if (playing) $('clip-caption').textContent = `${playing}: this browser does not play it; save it instead`;
});

export async function watchClips() {
  await show().catch(() => {}); // a daemon that is lost is told by the headline
  setTimeout(watchClips, document.hidden ? 30000 : 5000);
}
