// Two small charts: latency over the last minutes, and where a frame's time goes.
import { ms, stageWords } from './format.js';

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Fits a canvas to its box at the screen's resolution; returns its context in CSS pixels.
function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const g = canvas.getContext('2d');
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  return { g, width, height };
}

const SPAN_S = 300;

export class LatencyChart {
  constructor(canvas) {
    this.canvas = canvas;
    this.points = []; // {t, p50, p95}; t in seconds
  }

  add(t, p50, p95) {
    this.points.push({ t, p50, p95 });
    while (this.points.length && this.points[0].t < t - SPAN_S) this.points.shift();
  }

  draw(sla) {
    const { g, width, height } = fit(this.canvas);
    if (!width || !this.points.length) return;
    const left = 34;
    const bottom = height - 16;
    const top = Math.max(sla * 1.15, ...this.points.map((p) => p.p95 * 1.1));
    const now = this.points[this.points.length - 1].t;
    const span = Math.min(SPAN_S, Math.max(60, now - this.points[0].t)); // grows to five minutes
    const x = (t) => width - 4 - ((now - t) / span) * (width - left - 4);
    const y = (v) => bottom - (v / top) * (bottom - 6);
    this.axes(g, { width, left, bottom, x, y, top, sla, now, span });
    this.line(g, x, y, 'p95', css('--accent'), bottom, true);
    this.line(g, x, y, 'p50', css('--accent-2'), bottom, false);
    const last = this.points[this.points.length - 1];
    this.canvas.setAttribute('aria-label', `End-to-end latency, last five minutes: p50 ${ms(last.p50)}, p95 ${ms(last.p95)}, promised ${ms(sla)}`);
  }

  axes(g, { width, left, bottom, x, y, top, sla, now, span }) {
    g.font = '11px system-ui, sans-serif';
    g.textBaseline = 'middle';
    g.textAlign = 'right';
    const step = [5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000].find((s) => top / s <= 4) || 10000;
    for (let v = 0; v <= top; v += step) {
      g.strokeStyle = css('--line');
      g.lineWidth = 1;
      g.beginPath();
      g.moveTo(left, Math.round(y(v)) + 0.5);
      g.lineTo(width, Math.round(y(v)) + 0.5);
      g.stroke();
      g.fillStyle = css('--dim');
      g.fillText(`${v}`, left - 6, y(v));
    }
    g.textAlign = 'center';
    for (let back = 0; back <= span; back += span > 120 ? 60 : 15) {
      const at = Math.min(x(now - back), width - 14);
      if (at > left + 10) g.fillText(back ? (back % 60 ? `−${back} s` : `−${back / 60} min`) : 'now', at, bottom + 10);
    }
    g.strokeStyle = css('--bad');
    g.setLineDash([4, 4]);
    g.beginPath();
    g.moveTo(left, y(sla));
    g.lineTo(width, y(sla));
    g.stroke();
    g.setLineDash([]);
    g.fillStyle = css('--bad');
    g.textAlign = 'left';
    g.fillText('SLA', left + 4, y(sla) - 8);
  }

  line(g, x, y, key, colour, bottom, filled) {
    const points = this.points;
    g.strokeStyle = colour;
    g.lineWidth = 2;
    g.lineJoin = 'round';
    g.beginPath();
    points.forEach((p, i) => (i ? g.lineTo(x(p.t), y(p[key])) : g.moveTo(x(p.t), y(p[key]))));
    g.stroke();
    if (!filled || points.length < 2) return;
    g.lineTo(x(points[points.length - 1].t), bottom);
    g.lineTo(x(points[0].t), bottom);
    g.closePath();
    g.globalAlpha = 0.12;
    g.fillStyle = colour;
    g.fill();
    g.globalAlpha = 1;
  }
}

// Rows of wait + service (p95) on one scale, with a mark at each stage's budget.
export function drawStages(root, stages) {
  const shown = Object.entries(stages).filter(([, s]) => s.service_ms.count > 0);
  const scale = Math.max(1, ...shown.map(([, s]) => Math.max(s.budget_ms, s.wait_ms.p95 + s.service_ms.p95))) * 1.04;
  while (root.children.length > shown.length) root.lastChild.remove();
  shown.forEach(([name, s], i) => {
    const row = root.children[i] || root.appendChild(stageRow());
    const over = (s.total_ms ? s.total_ms.p95 : s.wait_ms.p95 + s.service_ms.p95) > s.budget_ms;
    row.querySelector('.stage-name').textContent = stageWords(name);
    row.querySelector('.stage-value').textContent = `${ms(s.wait_ms.p95)} wait + ${ms(s.service_ms.p95)}`;
    row.querySelector('.stage-value').classList.toggle('over', over);
    row.querySelector('.bar-wait').style.width = `${(s.wait_ms.p95 / scale) * 100}%`;
    row.querySelector('.bar-service').style.width = `${(s.service_ms.p95 / scale) * 100}%`;
    row.querySelector('.bar-service').classList.toggle('over', over);
    row.querySelector('.bar-budget').style.left = `${(s.budget_ms / scale) * 100}%`;
    row.title = `${stageWords(name)}: p95 wait ${ms(s.wait_ms.p95)}, service ${ms(s.service_ms.p95)}, budget ${ms(s.budget_ms)}`;
  });
}

function stageRow() {
  const row = document.createElement('li');
  row.innerHTML = '<span class="stage-name"></span><span class="stage-value"></span>'
    + '<span class="bar"><i class="bar-wait"></i><i class="bar-service"></i><b class="bar-budget"></b></span>';
  return row;
}
