// Where this page stands, what it is asked to show, and where its neighbours are.

/** Return the page's parameters. Not by URLSearchParams: a run id contains "+", and older Airflows do not escape it. */
export function parameters(search = location.search) {
  const found = {};
  for (const part of search.replace(/^\?/, "").split("&")) {
    const [name, ...rest] = part.split("=");
    const value = rest.join("=");
    try {
      found[name] = decodeURIComponent(value);
    } catch {
      found[name] = value;
    }
  }
  // Airflow leaves {MAP_INDEX} as it is where a task is not mapped.
  const mapIndex = /^\d+$/.test(found.map_index ?? "") ? Number(found.map_index) : -1;
  return { dagId: found.dag_id ?? "", runId: found.run_id ?? "", taskId: found.task_id ?? "", mapIndex };
}

function withQuery(url, query) {
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}

/** Return the address of Airflow's REST API, whatever path prefix Airflow has. */
export function api(path, query = {}) {
  return withQuery(new URL(`../api/v2${path}`, document.baseURI), query);
}

function ofTask({ dagId, runId, taskId, mapIndex }) {
  return { dag_id: dagId, run_id: runId, task_id: taskId, map_index: mapIndex };
}

/** Return where Airflow hands out the stored picture of a task, or number `index` of its pictures. */
export function storedPicture(address) {
  return withQuery(new URL("picture", document.baseURI), { ...ofTask(address), index: address.index });
}

/** Return where Airflow hands out what a batch's manifest says. */
export function manifestEntries(address) {
  return withQuery(new URL("entries", document.baseURI), ofTask(address));
}
