// Contracts are kept compiled in the repository. What lies there must be what their sources give.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, contracts, kept } from "./compile.mjs";

for (const contract of contracts) {
  test(`${contract.made} is what its source compiles to`, async () => {
    assert.equal(await kept(contract), await compile(contract));
  });
}
