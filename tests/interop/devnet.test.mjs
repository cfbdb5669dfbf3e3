// The test ledger as tronweb 6.5.1 sees it, unchanged: it creates, signs, sends, calls, deploys and
// reads, and it is told of every failure as a node would tell it.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { TronWeb } from "tronweb";
import { openLedger } from "./ledger.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const SUN = 1_000_000;
const BTT = 10n ** 18n;
const DAY = 86_400;

/// A ledger with tronweb before it, as the first of its test accounts.
async function start(t, file) {
  const ledger = await openLedger(t, file);
  const web = (number) =>
    new TronWeb({ fullHost: ledger.url, privateKey: ledger.accounts[number].key });
  return { ledger, tron: web(0), web, accounts: ledger.accounts };
}

async function abiOf(file) {
  return JSON.parse(await readFile(path.join(root, file), "utf8"));
}

/// A transfer of 1 TRX that is signed and not sent.
async function signed(tron, to) {
  const draft = await tron.transactionBuilder.sendTrx(to, SUN, tron.defaultAddress.base58);
  return tron.trx.sign(draft);
}

/// The draft with other fields, made whole again with tronweb's own tools.
async function changed(tron, draft, change) {
  const copy = JSON.parse(JSON.stringify(draft));
  delete copy.signature;
  change(copy.raw_data);
  const { txJsonToPb, txPbToRawDataHex, txPbToTxID } = tron.utils.transaction;
  const message = txJsonToPb(copy);
  copy.txID = txPbToTxID(message).replace(/^0x/, "");
  copy.raw_data_hex = txPbToRawDataHex(message).toLowerCase();
  return tron.trx.sign(copy);
}

test("every answer says that the ledger is a test, and any page may ask", async (t) => {
  const { ledger } = await start(t);
  assert.match(ledger.banner, /worthless/);
  for (const [where, method] of [["/wallet/getnowblock", "POST"], ["/", "GET"], ["/", "OPTIONS"]]) {
    const answer = await fetch(ledger.url + where, { method });
    assert.equal(answer.headers.get("x-headwater-devnet"), "test ledger, worthless tokens");
    assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  }
  assert.equal((await fetch(`${ledger.url}/wallet/nonsense`)).status, 404);
});

test("coin is sent, comes to a new account, and its fee is that of TRON", async (t) => {
  const { tron } = await start(t);
  const { address } = await tron.createAccount();
  assert.deepEqual(await tron.trx.getAccount(address.base58), {});
  const before = await tron.trx.getBalance();
  const sent = await tron.trx.sendTransaction(address.base58, 5 * SUN);
  assert.equal(sent.result, true);
  assert.equal(await tron.trx.getBalance(address.base58), 5 * SUN);
  const info = await tron.trx.getTransactionInfo(sent.txid);
  assert.equal(info.fee, 1_100_000);
  assert.equal(await tron.trx.getBalance(), before - 5 * SUN - 1_100_000);
  const found = await tron.trx.getTransaction(sent.txid);
  assert.equal(found.txID, sent.txid);
  assert.equal(found.ret[0].contractRet, "SUCCESS");
  const again = await tron.trx.sendTransaction(address.base58, SUN);
  const cheap = await tron.trx.getTransactionInfo(again.txid);
  assert.ok(cheap.receipt.net_usage > 200);
  assert.equal(cheap.fee, undefined);
});

test("TRC-10 tokens are sent and shown", async (t) => {
  const { tron, accounts } = await start(t);
  const before = (await tron.trx.getAccount(accounts[1].address)).assetV2[0];
  const sent = await tron.trx.sendToken(accounts[1].address, 250, before.key);
  assert.equal(sent.result, true);
  const after = (await tron.trx.getAccount(accounts[1].address)).assetV2[0];
  assert.deepEqual(after, { key: before.key, value: before.value + 250 });
  const token = await tron.trx.getTokenByID(before.key);
  assert.match(token.name, /worthless/);
  assert.equal(token.precision, 6);
});

test("blocks follow each other and are found by number and by id", async (t) => {
  const { tron, accounts } = await start(t);
  assert.equal(await tron.isConnected().then((all) => all.fullNode), true);
  const { txid } = await tron.trx.sendTransaction(accounts[1].address, SUN);
  const head = await tron.trx.getCurrentBlock();
  const { number, parentHash } = head.block_header.raw_data;
  assert.equal((await tron.trx.getBlockByNumber(number)).blockID, head.blockID);
  assert.equal((await tron.trx.getBlockByHash(parentHash)).blockID, parentHash);
  const info = await tron.trx.getTransactionInfo(txid);
  const block = await tron.trx.getBlock(info.blockNumber);
  assert.deepEqual(block.transactions.map((known) => known.txID), [txid]);
  const first = await tron.trx.getBlockByNumber(0);
  assert.equal(Number(`0x${first.blockID.slice(-8)}`), 0x4857_0001);
  assert.ok(Date.now() - head.block_header.raw_data.timestamp < 10_000);
});

test("what the chain charges can be read", async (t) => {
  const { tron } = await start(t);
  const all = await tron.trx.getChainParameters();
  const known = new Map(all.map(({ key, value }) => [key, value]));
  assert.equal(known.get("getEnergyFee"), 100);
  assert.equal(known.get("getTransactionFee"), 1000);
  assert.equal((await tron.trx.getAccountResources()).freeNetLimit, 600);
  assert.equal(await tron.trx.getEnergyPrices(), "0:100");
});

test("a token is read, approved and put into the vault, and its events are told", async (t) => {
  const { ledger, tron, accounts } = await start(t);
  const token = await tron.contract().at(ledger.btt);
  assert.equal(await token.name().call(), "Test BTT (worthless)");
  assert.equal(Number(await token.decimals().call()), 18);
  const has = await token.balanceOf(accounts[0].address).call();
  assert.equal(has, 1_000_000_000n * BTT);
  await token.approve(ledger.vault, (100n * BTT).toString()).send();
  const { abi } = await abiOf("crates/tron/contracts/vault.json");
  const vault = tron.contract(abi, ledger.vault);
  const txid = await vault.deposit((40n * BTT).toString()).send();
  const account = await vault.accounts(accounts[0].address).call();
  assert.equal(account.balance, 40n * BTT);
  const info = await tron.trx.getTransactionInfo(txid);
  assert.equal(info.receipt.result, "SUCCESS");
  assert.equal(info.fee, info.receipt.energy_usage_total * 100 + (info.receipt.net_fee ?? 0));
  const topic = tron.sha3("Deposited(address,uint128)", false);
  assert.ok(info.log.some((log) => log.topics[0] === topic && log.address.length === 40));
  const { data } = await tron.event.getEventsByTransactionID(txid);
  const deposited = data.find((event) => event.event_name === "Deposited");
  assert.equal(deposited.result.amount, (40n * BTT).toString());
  const { data: listed } = await tron.event.getEventsByContractAddress(ledger.vault);
  assert.deepEqual(listed.map((event) => event.transaction_id), [txid]);
});

test("a grant and a voucher signed by tronweb are claimed, and the payee leaves", async (t) => {
  const { ledger, tron, web, accounts } = await start(t);
  const { abi } = await abiOf("crates/tron/contracts/vault.json");
  const token = await tron.contract().at(ledger.btt);
  await token.approve(ledger.vault, (100n * BTT).toString()).send();
  const vault = tron.contract(abi, ledger.vault);
  await vault.deposit((100n * BTT).toString()).send();
  const claim = await voucher(ledger, tron, web(3), accounts[2].address, 7n * BTT);
  const submitter = web(4).contract(abi, ledger.vault);
  const txid = await submitter.claim(...claim).send();
  assert.equal((await tron.trx.getTransactionInfo(txid)).receipt.result, "SUCCESS");
  const payee = web(2).contract(abi, ledger.vault);
  const { balance } = await payee.accounts(accounts[2].address).call();
  assert.equal(balance, 7n * BTT);
  await payee.requestExit(balance.toString()).send();
  const early = await payee.exit().send();
  assert.equal((await tron.trx.getTransactionInfo(early)).receipt.result, "REVERT");
  await ledger.advance(2 * DAY + 1);
  await payee.exit().send();
  const out = await token.balanceOf(accounts[2].address).call();
  assert.equal(out, 1_000_000_007n * BTT);
});

/// The arguments of `claim` for a voucher of `key` under a grant of `owner`.
async function voucher(ledger, owner, key, payee, amount) {
  const domain = {
    name: "Headwater", version: "1", chainId: ledger.chainId, verifyingContract: ledger.vault,
  };
  const types = {
    Grant: [
      { name: "owner", type: "address" }, { name: "key", type: "address" },
      { name: "cap", type: "uint128" }, { name: "expiry", type: "uint64" },
      { name: "salt", type: "bytes32" },
    ],
  };
  const grant = {
    owner: owner.defaultAddress.base58,
    key: key.defaultAddress.base58,
    cap: (50n * BTT).toString(),
    expiry: Math.floor(Date.now() / 1000) + 3600,
    salt: `0x${"5a".repeat(32)}`,
  };
  const ownerSig = await owner.trx.signTypedData(domain, types, grant);
  const session = owner.utils._TypedDataEncoder.hashStruct("Grant", types, grant);
  const promised = {
    Voucher: [
      { name: "session", type: "bytes32" }, { name: "payee", type: "address" },
      { name: "amount", type: "uint128" },
    ],
  };
  const said = { session, payee, amount: amount.toString() };
  const keySig = await key.trx.signTypedData(domain, promised, said);
  const fields = [grant.owner, grant.key, grant.cap, grant.expiry, grant.salt];
  return [fields, ownerSig, payee, said.amount, keySig];
}

test("a call that reverts says so when tried, and costs when sent", async (t) => {
  const { ledger, tron, accounts } = await start(t);
  const call = [ledger.vault, "exit()", {}, [], accounts[0].address];
  const tried = await tron.transactionBuilder.triggerConstantContract(...call).catch((e) => e);
  assert.match(tried.message ?? tried.result.message, /REVERT/);
  const body = {
    owner_address: accounts[0].address, contract_address: ledger.vault,
    function_selector: "exit()", visible: true,
  };
  const raw = await tron.fullNode.request("wallet/triggerconstantcontract", body, "post");
  assert.equal(raw.result.result, true);
  assert.equal(raw.result.message, "REVERT opcode executed");
  assert.equal(raw.constant_result[0], tron.sha3("NoExit()", false).slice(0, 8));
  const { transaction } = await tron.transactionBuilder.triggerSmartContract(...call);
  const sent = await tron.trx.sendRawTransaction(await tron.trx.sign(transaction));
  assert.equal(sent.result, true);
  const info = await tron.trx.getTransactionInfo(sent.txid);
  assert.equal(info.result, "FAILED");
  assert.equal(info.receipt.result, "REVERT");
  assert.equal(tron.toUtf8(info.resMessage), "REVERT opcode executed");
  assert.ok(info.fee > 0);
});

test("energy is estimated, and a limit below it runs out and costs all of itself", async (t) => {
  const { ledger, tron, accounts } = await start(t);
  const args = [
    { type: "address", value: ledger.vault },
    { type: "uint256", value: 5 },
  ];
  const call = (options) => [
    ledger.btt, "approve(address,uint256)", options, args, accounts[0].address,
  ];
  const estimate = await tron.transactionBuilder.estimateEnergy(...call({}));
  assert.ok(estimate.energy_required > 20_000 && estimate.energy_required < 40_000);
  const feeLimit = 1_000_000;
  const { transaction } = await tron.transactionBuilder.triggerSmartContract(...call({ feeLimit }));
  const sent = await tron.trx.sendRawTransaction(await tron.trx.sign(transaction));
  const info = await tron.trx.getTransactionInfo(sent.txid);
  assert.equal(info.receipt.result, "OUT_OF_ENERGY");
  assert.equal(info.receipt.energy_fee, feeLimit);
});

test("a transaction that is not as it must be is refused with the node's code", async (t) => {
  const { tron, accounts } = await start(t);
  const to = accounts[1].address;
  const good = await signed(tron, to);
  const code = async (transaction) => (await tron.trx.sendRawTransaction(transaction)).code;

  const forged = { ...good, signature: [(await signed(tron, accounts[2].address)).signature[0]] };
  assert.equal(await code(forged), "SIGERROR");
  const torn = { ...good, signature: ["00".repeat(65)] };
  assert.equal(await code(torn), "SIGERROR");
  const foreign = await changed(tron, good, (raw) => (raw.ref_block_hash = "00".repeat(8)));
  assert.equal(await code(foreign), "TAPOS_ERROR");
  const late = await changed(tron, good, (raw) => (raw.expiration = raw.timestamp - 60_000));
  assert.equal(await code(late), "TRANSACTION_EXPIRATION_ERROR");
  const far = await changed(tron, good, (raw) => (raw.expiration += 2 * DAY * 1000));
  assert.equal(await code(far), "TRANSACTION_EXPIRATION_ERROR");
  const rich = await changed(tron, good, (raw) => {
    raw.contract[0].parameter.value.amount = 10 ** 15;
  });
  assert.equal(await code(rich), "CONTRACT_VALIDATE_ERROR");
  assert.equal((await tron.trx.sendRawTransaction(good)).result, true);
  const again = await tron.trx.sendRawTransaction(good);
  assert.equal(again.code, "DUP_TRANSACTION_ERROR");
  assert.match(tron.toUtf8(again.message), /dup/i);
});

test("a transaction is taken as hex too", async (t) => {
  const { tron, accounts } = await start(t);
  const good = await signed(tron, accounts[1].address);
  const raw = good.raw_data_hex;
  const len = (hex) => {
    const size = hex.length / 2;
    const bytes = size < 128 ? [size] : [(size & 127) | 128, size >> 7];
    return Buffer.from(bytes).toString("hex");
  };
  const signature = good.signature[0];
  const sent = await tron.trx.sendHexTransaction(
    `0a${len(raw)}${raw}12${len(signature)}${signature}`,
  );
  assert.equal(sent.txid, good.txID);
  assert.equal((await tron.trx.getTransaction(good.txID)).txID, good.txID);
});

test("a contract is deployed where tronweb says, and shown with its interface", async (t) => {
  const { tron } = await start(t);
  const kept = await abiOf("crates/devnet/contracts/test_btt.json");
  const contract = await tron.contract().new({
    abi: kept.abi, bytecode: kept.bytecode, feeLimit: 1_000 * SUN, callValue: 0,
    userFeePercentage: 100, originEnergyLimit: 10_000_000, parameters: [1234],
  });
  assert.equal(await contract.totalSupply().call(), 1234n);
  const found = await tron.trx.getContract(contract.address);
  assert.equal(found.contract_address, contract.address);
  assert.ok(found.abi.entrys.some((entry) => entry.name === "transferFrom"));
  const missing = await tron.trx.getContract(tron.defaultAddress.base58);
  assert.deepEqual(missing, {});
});

test("the faucet gives something of everything, worth nothing", async (t) => {
  const { ledger, tron } = await start(t);
  const { address } = await tron.createAccount();
  const given = await ledger.ask("devnet/faucet", { address: address.base58 });
  assert.equal(given.worth, "nothing");
  assert.ok((await tron.trx.getBalance(address.base58)) > 0);
  const token = await tron.contract().at(ledger.btt);
  assert.ok((await token.balanceOf(address.base58).call()) > 0n);
});

test("a ledger kept in a file goes on where it stopped", async (t) => {
  const dir = await mkdtemp(path.join(tmpdir(), "headwater-ledger-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const file = path.join(dir, "ledger");
  const first = await start(t, file);
  const { txid } = await first.tron.trx.sendTransaction(first.accounts[1].address, 3 * SUN);
  const info = await first.tron.trx.getTransactionInfo(txid);
  const block = await first.tron.trx.getBlock(info.blockNumber);
  await first.ledger.stop();
  const second = await start(t, file);
  assert.deepEqual(await second.tron.trx.getTransactionInfo(txid), info);
  assert.deepEqual(await second.tron.trx.getBlock(info.blockNumber), block);
  assert.equal(second.ledger.vault, first.ledger.vault);
});
