// How the pools of connections and processes are, and the store: what each does, and why where it does not.
import { get } from './daemon.js';
import { bytes, clock, count, duration, ms, percent, words } from './format.js';

const $ = (id) => document.getElementById(id);
const MOODS = { ok: 'good', degraded: 'warn', down: 'bad' };
const KINDS = { redis: 'Redis', postgresql: 'PostgreSQL', sqlite: 'SQLite', ffmpeg: 'FFmpeg' };

function element(name, className, text = '') {
  const node = document.createElement(name);
  node.className = className;
  node.textContent = text;
  return node;
}

function badge(id, health) {
  $(id).textContent = health;
  $(id).className = `badge ${MOODS[health]}`;
}

// For the headline: "database down, store degraded"; empty when all is well. pools: {name: health}
export function poolsInTrouble(pools = {}) {
  return Object.entries(pools).filter(([, health]) => health !== 'ok').map(([name, health]) => `${name} ${health}`).join(', ');
}

// --- pools ------------------------------------------------------------------------------------------------------------

function poolName(pool) {
  const name = element('span', 'pool-name');
  name.append(element('b', '', KINDS[pool.pool_name] || words(pool.pool_name)), element('span', 'pool-word', pool.health),
    element('span', 'dim', pool.pool_name === pool.kind ? pool.address || '' : `${KINDS[pool.kind]} · ${pool.address}`));
  name.title = pool.address || '';
  return name;
}

function poolFigures(pool) {
  const figures = element('span', 'pool-figures');
  const waiting = pool.wait_queue_size ? [[count(pool.wait_queue_size), 'waiting']] : [];
  const acquire = pool.acquire_ms.count ? [[ms(pool.acquire_ms.p99), 'p99 to get one']] : [];
  for (const [value, what] of [[count(pool.active_count), 'in use'], [count(pool.open), 'open'], [count(pool.most), 'most'],
    ...waiting, ...acquire]) {
    const figure = document.createElement('span');
    figure.append(element('b', '', value), ` ${what}`);
    figures.append(figure);
  }
  return figures;
}

function useBar(pool) {
  const bar = element('span', 'bar');
  const fill = element('i', `bar-use ${pool.utilization > pool.utilization_limit ? 'over' : ''}`);
  const mark = element('b', 'bar-budget');
  fill.style.width = `${Math.min(1, pool.utilization) * 100}%`;
  mark.style.left = `${pool.utilization_limit * 100}%`;
  bar.append(fill, mark);
  bar.title = `${percent(pool.utilization)} of the most were in use lately`;
  return bar;
}

// What is told as the reason already is not told again.
function lastError(pool) {
  const told = !pool.last_error || (pool.why || '').includes(pool.last_error);
  return told ? '' : `Last error, ${clock(pool.last_error_at * 1000)}: ${pool.last_error}`;
}

function poolRow(pool) {
  const row = element('li', `health-${pool.health}`);
  row.append(poolName(pool), poolFigures(pool), useBar(pool), element('span', 'pool-why', pool.why || ''),
    element('span', 'pool-error dim', lastError(pool)));
  return row;
}

// --- the store --------------------------------------------------------------------------------------------------------

const sum = (rows) => Object.values(rows).reduce((a, b) => a + b, 0);

function showStore(store, database) {
  $('store-health').parentElement.parentElement.hidden = !store;
  if (!store) return;
  badge('store-health', store.health);
  $('store-where').textContent = database ? KINDS[database.kind] : '';
  $('store-why').textContent = store.why || '';
  $('store-why').className = `pool-why health-${store.health}`;
  const figures = [['Behind', store.lag_seconds < 1 ? 'under 1 s' : duration(store.lag_seconds)], ['Rows written', count(sum(store.written))],
    ['Rows in memory', count(store.waiting)],
    ['Rows on disk', count(store.spool.rows)], ['Spool', store.spool.most_bytes ? `${bytes(store.spool.bytes)} of ${bytes(store.spool.most_bytes)}` : 'none'],
    ['Rows dropped', count(sum(store.dropped))]];
  $('store-figures').replaceChildren(...figures.map(([name, value]) => {
    const row = document.createElement('div');
    row.append(element('dt', '', name), element('dd', '', value));
    return row;
  }));
  $('store-dropped').replaceChildren(...Object.entries(store.dropped).filter(([, rows]) => rows > 0).map(([reason, rows]) => {
    const row = document.createElement('li');
    row.append(element('span', '', `Dropped: ${words(reason)}`), element('span', '', count(rows)));
    return row;
  }));
}

// --- the daemon -------------------------------------------------------------------------------------------------------

function show(doc) {
  badge('pools-health', doc.pools.some((p) => p.health === 'down') ? 'down' : doc.pools.some((p) => p.health === 'degraded') ? 'degraded' : 'ok');
  $('pool-rows').replaceChildren(...doc.pools.map(poolRow));
  showStore(doc.store, doc.pools.find((p) => p.pool_name === 'database'));
  $('pools').hidden = doc.pools.length === 0;
}

export async function watchPools() {
  try {
    show(await get('api/v1/performance/pools'));
  } catch {
    // an older daemon has no such document; a lost one is told by the headline
  }
  setTimeout(watchPools, document.hidden ? 10000 : 2000);
}
