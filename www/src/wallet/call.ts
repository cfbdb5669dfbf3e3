/**
 * What a wallet may be asked to send: a closed list, each built from checked values. There is no
 * way to make a call of any other kind.
 */

import { ownedAddress, type Address } from "./address.js";
import type { CallName, Value } from "./abi.js";
import { baseUnits, INT64_MAX, UINT128_MAX } from "./amount.js";
import { build } from "./built.js";
import { vaultOf, type Chain } from "./chain.js";
import type { Claim } from "./claims.js";
import { fault } from "./fault.js";

/** A call of a contract, a transfer of the chain's coin, or one of a TRC-10 asset. */
export type Call =
  | { readonly is: "contract"; to: Address; name: CallName; values: Value[]; coins: bigint }
  | { readonly is: "coin"; readonly to: Address; readonly coins: bigint }
  | { readonly is: "asset"; readonly to: Address; readonly id: string; readonly amount: bigint };

/** A question to a contract, which changes nothing and needs no signature. */
export interface Question {
  readonly to: Address;
  readonly name: CallName;
  readonly values: Value[];
}

/** What a tip is paid in. */
export type TipIn = "btt" | "asset";

/** Lets the vault take `amount` of the token. */
export function approveCall(chain: Chain, amount: unknown): Readonly<Call> {
  const values = [address(vaultOf(chain)), uint(256, baseUnits(amount, "the approval"))];
  return contract(tokenOf(chain), "approve", values);
}

/** Puts `amount` into the vault; on BTTC the coins go along. */
export function depositCall(chain: Chain, amount: unknown): Readonly<Call> {
  const units = baseUnits(amount, "the deposit");
  const coins = chain.btt.is === "coin" ? units : 0n;
  return contract(vaultOf(chain), "deposit", [uint(128, units)], coins);
}

/** Asks the vault for `amount` back. */
export function requestExitCall(chain: Chain, amount: unknown): Readonly<Call> {
  return contract(vaultOf(chain), "requestExit", [uint(128, baseUnits(amount, "the exit"))]);
}

/** Takes what was asked back, once its time has come. */
export function exitCall(chain: Chain): Readonly<Call> {
  return contract(vaultOf(chain), "exit", []);
}

/** Has the vault pay one claim, or several in one call. */
export function claimCall(chain: Chain, claims: readonly Claim[]): Readonly<Call> {
  const [first, ...others] = claims.map(claimValues);
  if (first === undefined) throw fault("bad-amount", "there is nothing to claim");
  if (others.length === 0) return contract(vaultOf(chain), "claim", first);
  const all = [first, ...others].map((value): Value => ({ type: "tuple", value }));
  return contract(vaultOf(chain), "claimMany", [{ type: "tuple[]", value: all }]);
}

function claimValues({ grant, ownerSignature, payee, amount, keySignature }: Claim): Value[] {
  const { owner, key, cap, expiry, salt } = grant;
  const granted: Value[] = [
    address(owner), address(key), uint(128, cap), uint(64, BigInt(expiry)),
    { type: "bytes32", value: salt },
  ];
  return [
    { type: "tuple", value: granted }, { type: "bytes", value: ownerSignature }, address(payee),
    uint(128, amount), { type: "bytes", value: keySignature },
  ];
}

/** Pays somebody directly. */
export function tipCall(chain: Chain, to: unknown, amount: unknown, paid: TipIn): Readonly<Call> {
  const payee = ownedAddress(to, "who gets the tip");
  const isContract = payee === chain.vault || (chain.btt.is === "token"
    && payee === chain.btt.address);
  if (isContract) throw fault("bad-address", "who gets the tip is a contract of ours");
  if (paid === "asset") {
    if (chain.asset === "") throw fault("wallet-unsupported", `${chain.name} has no TRC-10 BTT`);
    const units = baseUnits(amount, "the tip", INT64_MAX);
    return build({ is: "asset" as const, to: payee, id: chain.asset, amount: units });
  }
  const units = baseUnits(amount, "the tip", UINT128_MAX);
  if (chain.btt.is === "coin") return build({ is: "coin" as const, to: payee, coins: units });
  return contract(tokenOf(chain), "transfer", [address(payee), uint(256, units)]);
}

/** Asks how much of its coin's token an account holds. */
export function balanceQuestion(chain: Chain, owner: Address): Question {
  return { to: tokenOf(chain), name: "balanceOf", values: [address(owner)] };
}

/** Asks how much the vault may take of an account's tokens. */
export function allowanceQuestion(chain: Chain, owner: Address): Question {
  const values = [address(owner), address(vaultOf(chain))];
  return { to: tokenOf(chain), name: "allowance", values };
}

/** Asks what an account has in the vault. */
export function accountQuestion(chain: Chain, owner: Address): Question {
  return { to: vaultOf(chain), name: "accounts", values: [address(owner)] };
}

function tokenOf(chain: Chain): Address {
  if (chain.btt.is === "token") return chain.btt.address;
  throw fault("wallet-unsupported", `no BTT token is known on ${chain.name}`);
}

function contract(to: Address, name: CallName, values: Value[], coins = 0n): Readonly<Call> {
  return build({ is: "contract" as const, to, name, values, coins });
}

function address(value: Address): Value {
  return { type: "address", value };
}

function uint(bits: 64 | 128 | 256, value: bigint): Value {
  return { type: `uint${bits}`, value };
}
