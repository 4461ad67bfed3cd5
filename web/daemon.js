// Requests to the daemon; errors carry its own words.
export async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(3000) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

export async function ask(method, path, body) {
  const options = { method };
  if (body) {
    options.headers = { 'Content-Type': 'application/json' };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(path, options);
  if (response.ok) return;
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail || `the server answered ${response.status}`);
}
