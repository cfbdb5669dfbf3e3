/**
 * Marks what this folder built itself. Backends hand a wallet nothing else, so that no page,
 * peer or message can put its own bytes before the user.
 */

import { fault } from "./fault.js";

const built = new WeakSet<object>();

/** Freezes a value through and through, and marks it as ours. */
export function build<T extends object>(value: T): Readonly<T> {
  freeze(value);
  built.add(value);
  return value;
}

/** Refuses what was not marked. A copy of something marked is not. */
export function mustBeBuilt(value: unknown, what: string): void {
  const isOurs = typeof value === "object" && value !== null && built.has(value);
  if (!isOurs) throw fault("prompt-refused", `${what} was not built by Headwater`);
}

function freeze(value: object): void {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) freeze(inner);
  }
  Object.freeze(value);
}
