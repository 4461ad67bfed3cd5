// The wall: one tile a camera, all live pictures over one streamed response. Only tiles on the screen are asked for.
import { classColour, ink } from './palette.js';
import { fixed, ms, words } from './format.js';
import { levelClass } from './quality.js';

const WIDTHS = [240, 320, 480, 640, 960, 1280];
const SILENT_MS = 8000; // the server sends a heartbeat every two seconds

export class Wall {
  constructor(root) {
    this.root = root;
    this.tiles = new Map(); // id -> tile
    this.visible = new Set();
    this.boxes = true;
    this.filter = '';
    this.wanted = '';
    this.lastData = 0;
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: '120px' });
    this.decoder = new TextDecoder();
    document.addEventListener('visibilitychange', () => this.plan());
    window.addEventListener('resize', () => this.plan());
    setInterval(() => this.watchdog(), 1000);
  }

  // --- tiles ---------------------------------------------------------------------------------------------------------

  update(cameras) {
    const ids = new Set(cameras.map((c) => c.id));
    for (const [id, tile] of this.tiles) {
      if (ids.has(id)) continue;
      this.observer.unobserve(tile.el);
      this.visible.delete(id);
      tile.el.remove();
      this.tiles.delete(id);
    }
    cameras.forEach((camera) => this.describe(this.tiles.get(camera.id) || this.create(camera.id), camera));
    this.plan();
  }

  create(id) {
    const el = document.createElement('figure');
    el.className = 'tile';
    el.dataset.id = id;
    el.innerHTML = '<canvas role="img"></canvas><div class="tile-message" hidden><strong></strong><span></span></div>'
      + '<figcaption><span class="tile-id"></span><span class="badge"></span><span class="tile-figures"><span class="tile-fps"></span><span class="tile-age"></span></span></figcaption>'
      + '<span class="tile-level"></span><a class="tile-open" target="_blank" rel="noopener">Open</a>';
    const tile = { id, el, canvas: el.querySelector('canvas'), record: null, bitmap: null, busy: false };
    el.querySelector('.tile-id').textContent = id;
    const open = el.querySelector('.tile-open');
    open.href = `api/v1/cameras/${id}/live.mjpg`;
    open.setAttribute('aria-label', `Open the live picture of ${id}`);
    el.hidden = !this.matches(id);
    this.tiles.set(id, tile);
    this.root.append(el);
    this.observer.observe(el);
    return tile;
  }

  describe(tile, camera) {
    const up = camera.state === 'running';
    const badge = tile.el.querySelector('.badge');
    badge.textContent = words(camera.state);
    badge.className = `badge ${stateClass(camera.state)}`;
    tile.el.querySelector('.tile-fps').textContent = up ? `${fixed(camera.analysed_fps)} fps · ` : '';
    tile.el.querySelector('.tile-age').textContent = up ? ms(camera.age_ms) : '';
    const level = tile.el.querySelector('.tile-level');
    level.textContent = words(camera.quality_level);
    level.className = `tile-level ${levelClass(camera.quality_level)}`;
    level.hidden = !up;
    const message = tile.el.querySelector('.tile-message');
    const silent = !up && (camera.age_ms === null || camera.age_ms > 5000);
    message.hidden = !silent;
    tile.el.classList.toggle('down', silent);
    if (silent) {
      const retry = camera.retry_in_seconds > 0 ? ` · trying again in ${Math.ceil(camera.retry_in_seconds)} s` : '';
      message.firstChild.textContent = words(camera.state) + retry;
      message.lastChild.textContent = camera.last_error || '';
    }
    const shape = camera.width && camera.height ? `${camera.width} / ${camera.height}` : '16 / 9';
    if (tile.shape !== shape) {
      tile.shape = shape;
      tile.canvas.style.aspectRatio = shape;
    }
    tile.canvas.setAttribute('aria-label', `Camera ${camera.id}: ${words(camera.state)}, ${camera.boxes} objects`);
  }

  matches(id) { return id.toLowerCase().includes(this.filter); }

  setFilter(text) {
    this.filter = text.trim().toLowerCase();
    for (const tile of this.tiles.values()) tile.el.hidden = !this.matches(tile.id);
  }

  setBoxes(on) {
    this.boxes = on;
    for (const tile of this.tiles.values()) this.paint(tile);
  }

  seen(entries) {
    for (const entry of entries) {
      if (entry.isIntersecting) this.visible.add(entry.target.dataset.id);
      else this.visible.delete(entry.target.dataset.id);
    }
    this.plan();
  }

  // --- the stream ----------------------------------------------------------------------------------------------------

  // Which pictures are wanted now, how wide and how often; connects anew when that has changed.
  plan() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const ids = document.hidden ? [] : [...this.visible].sort();
      const first = ids.length ? this.tiles.get(ids[0]) : null;
      const need = first ? first.canvas.clientWidth * Math.min(window.devicePixelRatio || 1, 2) : 0;
      const width = WIDTHS.find((w) => w >= need * 0.9) || WIDTHS[WIDTHS.length - 1];
      const fps = Math.max(2, Math.min(10, Math.floor(90 / Math.max(1, ids.length))));
      const wanted = ids.length ? `api/v1/wall?width=${width}&fps=${fps}&cameras=${ids.join(',')}` : '';
      if (wanted === this.wanted) return;
      this.wanted = wanted;
      this.connect();
    }, 150);
  }

  async connect() {
    this.abort?.abort();
    if (!this.wanted) return;
    const abort = new AbortController();
    this.abort = abort;
    this.lastData = performance.now();
    try {
      const response = await fetch(this.wanted, { signal: abort.signal });
      if (!response.ok) throw new Error(`wall: ${response.status}`);
      await this.read(response.body.getReader());
    } catch (error) {
      if (error.name === 'AbortError') return;
    }
    if (this.abort === abort) setTimeout(() => this.abort === abort && this.connect(), 1000);
  }

  watchdog() {
    if (this.wanted && performance.now() - this.lastData > SILENT_MS) this.connect();
  }

  // Records: two big-endian lengths, JSON, JPEG.
  async read(reader) {
    let have = new Uint8Array(1 << 18);
    let used = 0;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      this.lastData = performance.now();
      if (used + value.length > have.length) {
        const larger = new Uint8Array(Math.max(have.length * 2, used + value.length));
        larger.set(have.subarray(0, used));
        have = larger;
      }
      have.set(value, used);
      used += value.length;
      const eaten = this.parse(have, used);
      have.copyWithin(0, eaten, used);
      used -= eaten;
    }
  }

  parse(bytes, used) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, used);
    let at = 0;
    while (used - at >= 8) {
      const json = view.getUint32(at);
      const jpeg = view.getUint32(at + 4);
      if (used - at < 8 + json + jpeg) break;
      const record = JSON.parse(this.decoder.decode(bytes.subarray(at + 8, at + 8 + json)));
      if (record.type === 'picture') this.show(record, bytes.slice(at + 8 + json, at + 8 + json + jpeg));
      at += 8 + json + jpeg;
    }
    return at;
  }

  // --- drawing -------------------------------------------------------------------------------------------------------

  show(record, jpeg) {
    const tile = this.tiles.get(record.result.camera);
    if (!tile) return;
    tile.next = { record, jpeg };
    if (!tile.busy) this.decode(tile);
  }

  // One picture at a time a tile; what comes meanwhile replaces what waits.
  async decode(tile) {
    tile.busy = true;
    while (tile.next) {
      const { record, jpeg } = tile.next;
      tile.next = null;
      try {
        const bitmap = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
        tile.bitmap?.close();
        tile.bitmap = bitmap;
        tile.record = record;
        this.paint(tile);
      } catch { /* a damaged picture: the next one comes soon */ }
    }
    tile.busy = false;
  }

  paint(tile) {
    const { canvas, bitmap, record } = tile;
    if (!bitmap) return;
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round((width * bitmap.height) / bitmap.width));
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const g = canvas.getContext('2d');
    g.drawImage(bitmap, 0, 0, width, height);
    if (this.boxes) drawBoxes(g, record.result, width, height, ratio);
  }
}

function drawBoxes(g, result, width, height, ratio) {
  const sx = width / result.width;
  const sy = height / result.height;
  const labels = width / ratio > 200;
  g.lineWidth = (labels ? 2 : 1.5) * ratio;
  g.font = `600 ${11 * ratio}px system-ui, sans-serif`;
  g.textBaseline = 'middle';
  for (let i = result.detections.length - 1; i >= 0; i--) {
    const d = result.detections[i];
    const [x1, y1, x2, y2] = d.box;
    const colour = classColour(d.class_id);
    g.strokeStyle = colour;
    g.strokeRect(x1 * sx, y1 * sy, (x2 - x1) * sx, (y2 - y1) * sy);
    if (!labels) continue;
    const text = `${d.class} ${Math.round(d.score * 100)}`;
    const w = g.measureText(text).width + 8 * ratio;
    const h = 16 * ratio;
    const left = Math.max(0, Math.min(x1 * sx - g.lineWidth / 2, width - w));
    const top = y1 * sy - h >= 0 ? y1 * sy - h : y1 * sy;
    g.fillStyle = colour;
    g.fillRect(left, top, w, h);
    g.fillStyle = ink(colour);
    g.fillText(text, left + 4 * ratio, top + h / 2 + ratio * 0.5);
  }
}

export function stateClass(state) {
  if (state === 'running') return 'good';
  if (state === 'backoff' || state === 'frozen') return 'bad';
  return 'warn';
}
