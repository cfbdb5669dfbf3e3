// The npm tracker in a process of its own, so that it has a core as ours has. Says its URL.

import { openNpmTracker } from "../e2e/harness/tracker.mjs";

const tracker = await openNpmTracker(0);
console.log(tracker.url);
