// Numbers as people read them. null and NaN show as a dash.
const known = (value) => typeof value === 'number' && Number.isFinite(value);
const grouped = new Intl.NumberFormat('en');

export const count = (value) => (known(value) ? grouped.format(Math.round(value)) : '–');
export const fixed = (value, digits = 1) => (known(value) ? value.toFixed(digits) : '–');

export function ms(value) {
  if (!known(value)) return '–';
  if (value >= 10000) return `${(value / 1000).toFixed(0)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} ms`;
}

export function percent(ratio) {
  if (!known(ratio)) return '–';
  const value = ratio * 100;
  return `${value.toFixed(value >= 99.995 || value < 10 ? 0 : value >= 99 ? 2 : 1)} %`;
}

export function duration(seconds) {
  if (!known(seconds)) return '–';
  const s = Math.floor(seconds);
  const d = Math.floor(s / 86400);
  const h = Math.floor(s / 3600) % 24;
  const m = Math.floor(s / 60) % 60;
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  if (m) return `${m} min ${s % 60} s`;
  return `${s} s`;
}

export function memory(mb) {
  if (!known(mb)) return '–';
  return mb >= 1024 ? `${(mb / 1024).toFixed(1)} GB` : `${mb.toFixed(0)} MB`;
}

export function bytes(value) {
  return known(value) && value < 1024 ** 2 ? `${(value / 1024).toFixed(0)} kB` : memory(value / 1024 ** 2);
}

export const clock = (time) => new Date(time).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

export const words = (name) => name.replaceAll('_', ' ');
export const stageWords = (name) => words(name).replace('ml ', 'ML ');
