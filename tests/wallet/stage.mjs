// What most tests of the bridge need: a wallet of each kind, a place to find it in, and a user.

import assert from "node:assert/strict";
import { TronWeb, utils } from "tronweb";
import { loadWallet } from "./bundle.mjs";
import { TestLedger } from "./ledger.mjs";
import { announce, MockTron } from "./mock_tron.mjs";
import { MockEvm } from "./mock_evm.mjs";

/** The bridge's modules. */
export const lib = await loadWallet();
export { announce, MockTron, TronWeb, utils };

export const BTT = 10n ** 18n;
export const NOW = 1_800_000_000;
export const HOUR = 3600;

/** Keys that everybody knows, for tests only. */
const keys = ["11".repeat(32), "22".repeat(32)];
const session = "77".repeat(20);
const vault = "44".repeat(20);
const token = "55".repeat(20);
const stranger = "66".repeat(20);

export const KEY = `0x${session}`;
export const VAULT = `0x${vault}`;
export const TOKEN = `0x${token}`;
export const STRANGER = `0x${stranger}`;

/** A signature by its form. */
const SIGNATURE = `${"11".repeat(64)}1b`;

const plain = new TronWeb({ fullHost: "http://127.0.0.1:9" });

/** What time, chance and the user's hand are in a test. */
export function makeAround() {
  const around = {
    now: NOW, isActing: true, slept: 0,
    seconds: () => around.now,
    sleep: async (ms) => void (around.slept += ms),
    random: (bytes) => bytes.fill(0x55),
    isUserActing: () => around.isActing,
  };
  return around;
}

/** A TRON wallet on a test ledger, found by its announcement. */
export function tronStage() {
  const chain = lib.testLedger({
    id: 0xcd8690dc, kind: "tron", vault: VAULT, token: TOKEN,
  });
  const ledger = new TestLedger({ token, vault });
  const wallet = new MockTron({ TronWeb, keys, chainId: chain.id, ledger });
  const signing = ["_signTypedData", "sign"];
  return finish({ chain, ledger, wallet, standard: "TIP6963", signing });
}

/** An EVM wallet on a test ledger, found by its announcement. */
export function evmStage() {
  const chain = lib.testLedger({ id: 1029, kind: "evm", vault: VAULT, token: null });
  const ledger = new TestLedger({ token: null, vault });
  const accounts = keys.map((key) => lib.readAddress(plain.address.fromPrivateKey(key)));
  const sign = (...typed) => plain.trx._signTypedData(...typed, keys[0]);
  const wallet = new MockEvm({ accounts, chainId: chain.id, ledger, sign });
  const signing = ["eth_signTypedData_v4", "eth_sendTransaction"];
  return finish({ chain, ledger, wallet, standard: "eip6963", signing });
}

function finish(stage) {
  const place = new EventTarget();
  const around = makeAround();
  announce(place, stage.standard, stage.wallet);
  const discovery = new lib.Discovery(() => {}, place);
  const [found] = discovery.wallets;
  discovery.close();
  const bridge = lib.openBridge(found, stage.chain, around, place);
  return {
    ...stage, place, around, found, bridge,
    /** Calls of the wallet's functions that sign. */
    signed: () => stage.wallet.prompts.filter((name) =>
      stage.signing.includes(name) || /sign/i.test(name)),
  };
}

/** What a user typed: 5000 BTT for an hour. */
export function terms(more = {}) {
  return { key: KEY, cap: 5000n * BTT, expiry: NOW + HOUR, ...more };
}

/** What an honest engine asks for. */
export function request(chain, more = {}) {
  return {
    want: "grant", key: KEY, vault: VAULT, chainId: chain.id, cap: 5000n * BTT, expiry: NOW + HOUR,
    ...more,
  };
}

/** What an honest engine has to claim for `payee`: 40 BTT of session number `n`. */
export function claimFor(chain, payee, n = 1, more = {}) {
  return {
    chainId: chain.id, vault: VAULT, owner: STRANGER, key: KEY, cap: 50n * BTT, expiry: NOW + HOUR,
    salt: String(n).padStart(64, "0"), ownerSignature: SIGNATURE, payee, amount: 40n * BTT,
    keySignature: SIGNATURE, ...more,
  };
}

/** Whether `owner` signed a grant, by TronWeb. */
export function hasSigned(chain, signed, owner) {
  const { domain, types, message } = structuredClone(lib.typedGrant(chain, signed.grant));
  const signature = `0x${Buffer.from(signed.signature).toString("hex")}`;
  const text = lib.addressText(owner, "tron");
  try {
    return plain.trx.verifyTypedData(domain, types, message, signature, text);
  } catch {
    return false;
  }
}

/** Fails with the code of an error, and gives the error back. */
export async function refused(code, work) {
  let thrown = null;
  try {
    await work();
  } catch (error) {
    thrown = error;
  }
  assert.equal(thrown?.code, code, String(thrown?.stack));
  assert.ok(thrown instanceof lib.HeadwaterError);
  return thrown;
}
