// The interop matrix: a full download for each cell, by magnet link, compared by hash.
// HEADWATER_FULL=1 plays every cell, as `cargo xtask test --full` does.

import { describe, test } from "node:test";
import { limit } from "../e2e/harness/stage.mjs";
import { playCell } from "./cell.mjs";
import { cells, title } from "./cells.mjs";

/** Cells at a time. They wait for choke rounds more than they work. */
const concurrency = 4;
const chosen = cells().filter(({ quick }) => quick || process.env.HEADWATER_FULL);

describe("the interop matrix", { concurrency }, () => {
  for (const cell of chosen) test(title(cell), limit, (t) => playCell(t, cell));
});
