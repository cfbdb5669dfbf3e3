/**
 * Reads the engine's request for a grant, which may in truth come from whoever got hold of the
 * engine: a closed list of fields, each of one type, each the request's own.
 */

import { readAddress, type Address } from "./address.js";
import { fault } from "./fault.js";
import { plainText } from "./peek.js";

/** What is asked for. There is no field for a domain, a type, a text, or raw bytes. */
export interface GrantRequest {
  readonly key: Address;
  readonly vault: Address;
  readonly chainId: number;
  readonly cap: bigint;
  readonly expiry: number;
}

const FIELDS = ["want", "key", "vault", "chainId", "cap", "expiry"];

/** Reads a request; refuses whatever is not exactly one. */
export function readRequest(raw: unknown): GrantRequest {
  const fields = ownFields(raw, FIELDS);
  if (fields.get("want") !== "grant") throw refuse("asks for something other than a grant");
  const [cap, expiry, chainId] = ["cap", "expiry", "chainId"].map((name) => fields.get(name));
  const [key, vault] = [readAddress(fields.get("key")), readAddress(fields.get("vault"))];
  if (key === null) throw refuse("has a key that is no address");
  if (vault === null) throw refuse("has a vault that is no address");
  if (typeof chainId !== "number" || !Number.isSafeInteger(chainId)) {
    throw refuse("has a chain that is no whole number");
  }
  if (typeof expiry !== "number" || !Number.isSafeInteger(expiry)) {
    throw refuse("has an expiry that is no whole number");
  }
  if (typeof cap !== "bigint") throw refuse("has a cap that is no BigInt");
  return { key, vault, chainId, cap, expiry };
}

/**
 * The request's own plain properties. Inherited ones do not count, so a polluted prototype adds
 * nothing; getters are refused, since they may answer differently the second time.
 */
export function ownFields(raw: unknown, names: readonly string[]): Map<string, unknown> {
  if (typeof raw !== "object" || raw === null) throw refuse("is no object");
  const fields = new Map<string, unknown>();
  const own = Reflect.ownKeys(raw);
  if (own.length > names.length) throw refuse("has more fields than a request has");
  for (const name of own) {
    if (typeof name !== "string" || !names.includes(name)) {
      throw refuse(`has a field that no request has: ${plainText(String(name), 40)}`);
    }
    const property = Reflect.getOwnPropertyDescriptor(raw, name);
    if (property === undefined || !Object.hasOwn(property, "value")) {
      throw refuse(`has a field that is computed: ${name}`);
    }
    fields.set(name, property.value);
  }
  const missing = names.find((name) => !fields.has(name));
  if (missing !== undefined) throw refuse(`lacks ${missing}`);
  return fields;
}

/** The error of a prompt that is not shown. */
export function refuse(why: string): Error {
  return fault("prompt-refused", `the request ${why}`);
}
