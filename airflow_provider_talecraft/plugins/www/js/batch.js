// The entries of a batch that is too large for XCom: Airflow reads them from the manifest.

import { manifestEntries } from "./address.js";
import { getJson } from "./airflow.js";
import { pictures } from "./pictures.js";

/** Return the pictures of a task: those that are known, or those in its manifest. */
export async function allPictures(task) {
  if (task.pictures.length || !task.manifest || !task.isOver) return task.pictures;
  try {
    return pictures(await getJson(manifestEntries(task.address)), task.address);
  } catch {
    return []; // it is gone, or not readable here: the counts are shown all the same
  }
}
