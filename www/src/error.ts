/** What goes wrong, with a code that stays the same from release to release. */

/** An error of Headwater. Tell errors apart by `code`, show `message`. */
export class HeadwaterError extends Error {
  /** Stable and in kebab case, for example `bad-magnet` or `storage-full`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HeadwaterError";
    this.code = code;
  }
}

/** An error as it crosses from one thread to another. */
export interface Fault {
  code: string;
  message: string;
}

/** Reads any thrown value as a fault. */
export function faultOf(thrown: unknown, code = "internal"): Fault {
  // By name: what is loaded later has a class of its own.
  if (thrown instanceof Error && thrown.name === "HeadwaterError") {
    return { code: (thrown as HeadwaterError).code, message: thrown.message };
  }
  if (typeof thrown === "string" && thrown.startsWith("{")) return JSON.parse(thrown) as Fault;
  return { code, message: thrown instanceof Error ? thrown.message : String(thrown) };
}

/** Makes the error that a fault stands for. */
export function errorOf(fault: Fault): HeadwaterError {
  return new HeadwaterError(fault.code, fault.message);
}
