// tronweb as oracle: random transactions, typed messages, messages and addresses have the same
// bytes, ids, digests and signatures there and in `crates/tron`. Nothing leaves the machine.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { TronWeb, utils } from "tronweb";
import { program } from "../e2e/harness/program.mjs";

const oracle = process.env.HEADWATER_ORACLE ?? join(dirname(program), "examples/oracle");
/** Another seed plays other cases; a failure names the one it had. */
const seed = Number(process.env.HEADWATER_ORACLE_SEED ?? 7);
const CASES = 1200;
const nowhere = new TronWeb({ fullHost: "http://127.0.0.1:1" });

/** Small numbers out of one seed (mulberry32), the same on every machine. */
function dice(from) {
  let state = from >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (bound) => next() % bound;
  const bytes = (length) => Array.from({ length }, () => below(256));
  const hex = (length) => bytes(length).map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const of = (list) => list[below(list.length)];
  /** Numbers of all sizes, since small ones have other encodings than large ones. */
  const number = (bits) => Number(BigInt(`0x${hex(8)}`) >> BigInt(64 - 1 - below(bits)));
  return { below, hex, of, number };
}

const roll = dice(seed);
const key = () => `0${roll.hex(32).slice(1)}`.replace(/^0+$/, "1".padStart(64, "0"));
const someone = () => TronWeb.address.fromPrivateKey(key());
const large = () => (BigInt(`0x${roll.hex(16)}`) >> BigInt(roll.below(128))).toString();

/** Runs all cases through our side at once; the answers are lists of words. */
function ours(cases) {
  assert.ok(existsSync(oracle), `${oracle} is missing: cargo xtask test builds it`);
  const input = cases.map((one) => `${JSON.stringify(one)}\n`).join("");
  const run = spawnSync(oracle, { input, maxBuffer: 1 << 28, timeout: 120_000 });
  assert.equal(run.status, 0, `seed ${seed}: ${run.stderr}`);
  const lines = run.stdout.toString().trim().split("\n");
  assert.equal(lines.length, cases.length);
  return lines.map((line) => line.split(" "));
}

const blockHeader = () => ({
  ref_block_bytes: roll.hex(2),
  ref_block_hash: roll.hex(8),
  expiration: 1_700_000_000_000 + roll.number(40),
  timestamp: 1_700_000_000_000 + roll.number(40),
});

const abi = [
  { type: "constructor", stateMutability: "nonpayable", inputs: [] },
  {
    type: "function",
    name: "balanceOf",
    stateMutability: "view",
    inputs: [{ name: "owner", type: "address" }],
    outputs: [{ name: "", type: "uint256" }],
  },
  {
    type: "event",
    name: "Paid",
    anonymous: false,
    inputs: [{ indexed: true, name: "to", type: "address" }],
  },
  { type: "receive", stateMutability: "payable" },
];

const kinds = {
  transfer: (owner, options) =>
    nowhere.transactionBuilder.sendTrx(someone(), 1 + roll.number(50), owner, options),
  asset: (owner, options) => {
    const id = String(1_000_001 + roll.below(5000));
    return nowhere.transactionBuilder.sendToken(someone(), 1 + roll.number(50), id, owner, options);
  },
  call: async (owner, options) => {
    const parameters = [
      { type: "address", value: someone() },
      { type: "uint256", value: large() },
    ];
    const more = { feeLimit: 1 + roll.number(33), callValue: roll.of([0, roll.number(40)]) };
    const token = { tokenId: 1_002_000, tokenValue: 1 + roll.number(40) };
    if (roll.below(4) === 0) Object.assign(more, token);
    const name = roll.of(["transfer(address,uint256)", "approve(address,uint256)"]);
    const built = await nowhere.transactionBuilder.triggerSmartContract(
      someone(), name, { ...options, ...more }, parameters, owner,
    );
    return built.transaction;
  },
  create: (owner, options) =>
    nowhere.transactionBuilder.createSmartContract(
      {
        abi: roll.of([[], abi]),
        bytecode: roll.hex(1 + roll.below(400)),
        name: roll.of(["Vault", "é", ""]),
        feeLimit: 1 + roll.number(33),
        userFeePercentage: roll.below(101),
        originEnergyLimit: 1 + roll.number(23),
        ...options,
      },
      owner,
    ),
};

async function madeTransaction() {
  const secret = key();
  const owner = TronWeb.address.fromPrivateKey(secret);
  const options = { txLocal: true, blockHeader: blockHeader() };
  if (roll.below(4) === 0) options.permissionId = roll.below(9);
  let made = await kinds[roll.of(Object.keys(kinds))](owner, options);
  if (roll.below(4) === 0) {
    const memo = roll.of(["thanks", "für den Film", "a".repeat(200)]);
    made = await nowhere.transactionBuilder.addUpdateData(made, memo, "utf8", { txLocal: true });
  }
  return { secret, made };
}

test("random transactions have the bytes, ids and signatures of tronweb", async () => {
  const all = [];
  for (let count = 0; count < CASES; count += 1) all.push(await madeTransaction());
  const cases = all.map(({ secret, made }) => ({ kind: "transaction", key: secret, json: made }));
  const answers = ours(cases);
  for (const [at, { secret, made }] of all.entries()) {
    const [bytes, id, signature, whole] = answers[at];
    const about = `seed ${seed}, case ${at}: ${JSON.stringify(made)}`;
    assert.equal(bytes, made.raw_data_hex, about);
    assert.equal(id, made.txID, about);
    const signed = await nowhere.trx.sign(structuredClone(made), secret);
    assert.equal(signature, signed.signature[0].replace(/^0x/, "").toLowerCase(), about);
    const raw = made.raw_data_hex;
    assert.ok(whole.includes(raw) && whole.endsWith(signature), about);
  }
});

const promiseFields = [
  { name: "session", type: "bytes32" },
  { name: "payee", type: "address" },
  { name: "amount", type: "uint128" },
];
const types = {
  Grant: [
    { name: "owner", type: "address" },
    { name: "key", type: "address" },
    { name: "cap", type: "uint128" },
    { name: "expiry", type: "uint64" },
    { name: "salt", type: "bytes32" },
  ],
  Voucher: promiseFields,
  Reserve: promiseFields,
  Publication: [
    { name: "v1", type: "bytes20" },
    { name: "v2", type: "bytes32" },
    { name: "payee", type: "address" },
    { name: "token", type: "address" },
    { name: "tip", type: "uint128" },
    { name: "price", type: "uint128" },
    { name: "check", type: "bytes32" },
  ],
};
/** Fields that we take as bare hex, and tronweb as `0x…`. */
const plainBytes = ["salt", "session", "v1", "v2", "check"];

/** A random structure: as tronweb takes it, and as our side does. */
function madeTyped() {
  const place = { chain_id: roll.of([728126428, 3448148188, 199, 1029]), vault: someone() };
  const name = roll.of(Object.keys(types));
  const grant = () => {
    const [owner, key, cap] = [someone(), someone(), large()];
    return { owner, key, cap, expiry: roll.number(40), salt: roll.hex(32) };
  };
  const promise = () => ({ session: roll.hex(32), payee: someone(), amount: large() });
  const publication = () => ({
    v1: roll.of([roll.hex(20), "00".repeat(20)]), v2: roll.of([roll.hex(32), "00".repeat(32)]),
    payee: someone(), token: someone(), tip: large(), price: roll.of(["0", large()]),
    check: roll.hex(32),
  });
  const [inside, terms] = {
    Grant: () => ["grant", grant()],
    Publication: () => ["publication", publication()],
    Voucher: () => ["promise", promise()],
    Reserve: () => ["promise", promise()],
  }[name]();
  const value = { ...terms };
  for (const field of plainBytes) if (field in value) value[field] = `0x${value[field]}`;
  const domain = {
    name: "Headwater",
    version: "1",
    chainId: place.chain_id,
    verifyingContract: place.vault,
  };
  const secret = key();
  const ours = { kind: name.toLowerCase(), key: secret, place };
  ours[inside] = terms;
  return { name, domain, value, secret, ours };
}

test("random typed structures have the digests and signatures of tronweb", async () => {
  const all = Array.from({ length: CASES }, madeTyped);
  const answers = ours(all.map((one) => one.ours));
  for (const [at, { name, domain, value, secret }] of all.entries()) {
    const about = `seed ${seed}, case ${at}: ${name} ${JSON.stringify(value)}`;
    const kind = { [name]: types[name] };
    const encoder = utils._TypedDataEncoder;
    const digest = encoder.hash(domain, kind, value).slice(2);
    const signature = await nowhere.trx._signTypedData(domain, kind, value, secret);
    const known = [digest, signature.slice(2)];
    if (name === "Grant") {
      known.unshift(encoder.hashDomain(domain).slice(2));
      known.splice(1, 0, encoder.hashStruct(name, kind, value).slice(2));
      const shown = JSON.parse(Buffer.from(answers[at].pop(), "hex").toString());
      const taken = [shown.domain, shown.types, shown.message];
      assert.equal(await nowhere.trx._signTypedData(...taken, secret), signature, about);
    }
    assert.deepEqual(answers[at], known, about);
  }
});

test("random messages of both versions have the signatures of tronweb", async () => {
  const texts = ["", "hello", "Grüße", "\u{1f3ac}", "x".repeat(1000), "\n\0"];
  const all = Array.from({ length: 400 }, (_, at) => {
    if (at % 2 === 0) return { kind: "message_v1", key: key(), bytes: roll.hex(32) };
    return { kind: "message_v2", key: key(), text: roll.of(texts) + roll.hex(roll.below(40)) };
  });
  const answers = ours(all);
  for (const [at, one] of all.entries()) {
    const signature =
      one.kind === "message_v1"
        ? await nowhere.trx.signMessage(one.bytes, one.key)
        : await nowhere.trx.signMessageV2(one.text, one.key);
    assert.equal(answers[at][1], signature.slice(2), `seed ${seed}: ${JSON.stringify(one)}`);
    if (one.kind === "message_v1") continue;
    assert.equal(answers[at][0], utils.message.hashMessage(one.text).slice(2));
  }
});

test("random keys have the addresses of tronweb", () => {
  const all = Array.from({ length: 400 }, () => ({ kind: "address", key: key() }));
  for (const [at, answer] of ours(all).entries()) {
    const text = TronWeb.address.fromPrivateKey(all[at].key);
    const digits = TronWeb.address.toHex(text).toLowerCase();
    assert.deepEqual(answer, [text, digits, `0x${digits.slice(2)}`]);
  }
});
