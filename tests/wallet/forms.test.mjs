// Addresses, amounts, signatures, calls and entries: what goes in and out in the right form only.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { errorData, word } from "./ledger.mjs";
import {
  BTT, claimFor, lib, refused, STRANGER, TOKEN, TronWeb, utils, VAULT,
} from "./stage.mjs";

const chain = lib.testLedger({ id: 1029, kind: "tron", vault: VAULT, token: TOKEN });
const plain = new TronWeb({ fullHost: "http://127.0.0.1:9" });

test("sha256 of every length is that of node", () => {
  for (let length = 0; length <= 119; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 255);
    const wanted = createHash("sha256").update(bytes).digest("hex");
    assert.equal(lib.hexOf(lib.sha256(bytes)), wanted, `${length} bytes`);
  }
});

test("addresses are written as tronweb writes them and read back", () => {
  for (let n = 0; n < 200; n += 1) {
    const hex = createHash("sha256").update(`address ${n}`).digest("hex").slice(0, 40);
    const text = lib.addressText(`0x${hex}`, "tron");
    assert.equal(text, plain.address.fromHex(`41${hex}`));
    for (const form of [text, `41${hex}`, `0x${hex}`, `0x${hex.toUpperCase()}`]) {
      assert.equal(lib.readAddress(form), `0x${hex}`);
    }
  }
});

test("what is no address is not read", () => {
  const good = lib.addressText(STRANGER, "tron");
  const wrong = [
    "", "T", good.slice(1), `${good}1`, ` ${good}`,
    good.replace(/.$/, good.endsWith("1") ? "2" : "1"),
    // A Greek tau for the first letter, and letters that base58 leaves out.
    good.replace("T", "\u03a4"), good.replace(/.$/, "0"), "T".repeat(34), `0x${"1".repeat(39)}`,
    `0x${"g".repeat(40)}`, `42${"1".repeat(40)}`, "1".repeat(40), 5, null, {}, [good],
    `${"1".repeat(33)}T`, "x".repeat(1_000_000),
  ];
  for (const text of wrong) assert.equal(lib.readAddress(text), null, String(text).slice(0, 50));
});

test("the token of tron is the known one", () => {
  const { address } = lib.CHAINS.tron.btt;
  assert.equal(lib.addressText(address, "tron"), "TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4");
});

test("amounts are exact text and base units", () => {
  const pairs = [
    ["1", BTT], ["1.5", 15n * 10n ** 17n], ["0.000000000000000001", 1n],
    ["340282366920938463463.374607431768211455", lib.UINT128_MAX], ["0", 0n],
  ];
  for (const [text, units] of pairs) {
    assert.equal(lib.parseAmount(text), units);
    assert.equal(lib.amountText(units), text);
  }
  const wrong = [
    "", ".", "1.", ".5", "-1", "+1", "1e3", "0x10", "1,5", "1 000", "NaN", "\u0661",
    "1.0000000000000000001",
    "340282366920938463463.374607431768211456", "9".repeat(400),
  ];
  for (const text of wrong) assert.equal(lib.parseAmount(text), null, text);
});

test("amounts are never numbers", async () => {
  for (const value of [5, 2 ** 60, NaN, null, undefined, {}, "5.0", "0x5", "-5", 0n, -1n, "0"]) {
    await refused("bad-amount", () => lib.baseUnits(value, "it"));
  }
  await refused("bad-amount", () => lib.baseUnits(lib.UINT128_MAX + 1n, "it"));
  assert.equal(lib.baseUnits("12", "it"), 12n);
});

test("a signature has 65 bytes with r s and v in range", async () => {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const make = (r, s, v) => `0x${word(r)}${word(s)}${v}`;
  for (const [v, plainV] of [["00", 27], ["01", 28], ["1b", 27], ["1c", 28]]) {
    assert.equal(lib.readSignature(make(1n, order / 2n, v))[64], plainV);
  }
  const wrong = [
    make(0n, 1n, "1b"), make(order, 1n, "1b"), make(1n, 0n, "1b"), make(1n, order / 2n + 1n, "1b"),
    make(1n, 1n, "02"), make(1n, 1n, "1d"), make(1n, 1n, "1a"), make(1n, 1n, ""),
    make(1n, 1n, "1b00"),
    "", "0x", null, 65, {}, ["0x"], `0x${"g".repeat(130)}`,
  ];
  for (const answer of wrong) {
    await refused("wallet-bad-answer", () => lib.readSignature(answer));
  }
});

test("every selector and event is the keccak of its signature", () => {
  for (const { signature, selector } of Object.values(lib.SHAPES)) {
    assert.equal(plain.sha3(signature).slice(2, 10), selector, signature);
  }
  const events = [
    "Deposited(address,uint128)", "Claimed(bytes32,address,address,uint128,uint128)",
    "ExitRequested(address,uint128,uint64)", "Exited(address,uint128)",
  ];
  const owner = word(BigInt(STRANGER));
  for (const event of events) {
    const topics = [plain.sha3(event).slice(2), owner, owner, owner];
    const logs = lib.readLogs([{ address: VAULT.slice(2), topics, data: word(7n) + word(8n) }]);
    assert.equal(lib.historyOf(logs, VAULT, STRANGER)[0]?.amount, 7n, event);
  }
});

test("entries of other contracts and accounts are left out", () => {
  const topic = plain.sha3("Deposited(address,uint128)");
  const log = (address, owner) =>
    ({ address, topics: [topic, word(BigInt(owner))], data: word(1n) });
  const mine = log(VAULT, STRANGER);
  const logs = lib.readLogs([
    mine, log(STRANGER, STRANGER), log(VAULT, VAULT), null, 5, { address: VAULT },
    { ...mine, data: "0xzz" }, { ...mine, topics: ["x"] }, { ...mine, data: word(1n).repeat(99) },
  ]);
  assert.equal(lib.historyOf(logs, VAULT, STRANGER).length, 1);
});

test("calls are encoded as tronweb encodes them", async () => {
  const values = [{ type: "address", value: STRANGER }, { type: "uint256", value: 5000n * BTT }];
  const made = await plain.transactionBuilder.triggerSmartContract(
    lib.addressText(VAULT, "tron"), "approve(address,uint256)",
    { txLocal: true, feeLimit: 1, blockHeader: {
      ref_block_bytes: "0001", ref_block_hash: "0102030405060708", expiration: 2, timestamp: 1,
    } }, lib.tronValues(values), lib.addressText(STRANGER, "tron"));
  const { data } = made.transaction.raw_data.contract[0].parameter.value;
  assert.equal(lib.encodeCall("approve", values), data);
});

test("claims are encoded as tronweb encodes them", async () => {
  const grantType = "(address,address,uint128,uint64,bytes32)";
  const claimType = `(${grantType},bytes,address,uint128,bytes)`;
  const claims = [1, 2, 3].map((n) => {
    const ownerSignature = `${"11".repeat(64)}1b`;
    const keySignature = `${"22".repeat(63)}0${n}1c`;
    return lib.readClaims([claimFor(chain, STRANGER, n, {
      ownerSignature, keySignature, amount: BigInt(n),
    })], chain, STRANGER)[0];
  });
  const plainOf = ({ grant, ownerSignature, payee, amount, keySignature }) => [
    [grant.owner, grant.key, grant.cap, grant.expiry, `0x${grant.salt}`], `0x${ownerSignature}`,
    payee, amount, `0x${keySignature}`,
  ];
  const encode = (types, values) => utils.ethersUtils.AbiCoder.defaultAbiCoder()
    .encode(types, values).slice(2);
  const one = lib.claimCall(chain, claims.slice(0, 1));
  assert.equal(one.name, "claim");
  const types = [grantType, "bytes", "address", "uint128", "bytes"];
  assert.equal(lib.encodeValues(one.values), encode(types, plainOf(claims[0])));
  const many = lib.claimCall(chain, claims);
  assert.equal(many.name, "claimMany");
  assert.equal(lib.encodeValues(many.values), encode([`${claimType}[]`], [claims.map(plainOf)]));
  await refused("bad-amount", () => lib.claimCall(chain, []));
});

test("a revert is said in the contracts own words", () => {
  assert.equal(lib.revertReason(`0x${errorData("grant expired")}`), "grant expired");
  assert.equal(lib.revertReason(errorData("<b>\u202ebold</b>")), "<b>bold</b>");
  assert.equal(lib.revertReason(`4e487b71${word(17n)}`), "panic 17");
  assert.equal(lib.revertReason("deadbeef"), "error 0xdeadbeef");
  const lying = `08c379a0${word(32n)}${"f".repeat(64)}`;
  for (const answer of ["", "0x", null, 5, "zz", lying, "00".repeat(90_000)]) {
    assert.equal(lib.revertReason(answer), "");
  }
});

test("a chain without a vault cannot be granted on", async () => {
  for (const chain of Object.values(lib.CHAINS)) {
    assert.equal(chain.vault, null);
    await refused("wallet-unsupported", () => lib.vaultOf(chain));
  }
  await refused("wallet-wrong-chain", () => lib.testLedger({
    id: 2 ** 33, kind: "evm", vault: VAULT, token: null,
  }));
});
