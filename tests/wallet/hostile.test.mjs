// Pages and peers that try to get a signature they should not. Every row ends with the wallet's
// signing functions not called, with a stable code, and with nothing sent.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { publicNames } from "./bundle.mjs";
import {
  announce, BTT, claimFor, evmStage, HOUR, KEY, lib, NOW, refused, request, STRANGER, terms, TOKEN,
  tronStage, VAULT,
} from "./stage.mjs";

/** A stage where the user has connected and agreed to 5000 BTT for an hour. */
async function agreed(open) {
  const stage = open();
  await stage.bridge.connect();
  stage.bridge.agree(terms());
  return stage;
}

const asks = (change) => ({ bridge, chain }) => bridge.grant(change(request(chain)));
const more = (fields) => asks((honest) => ({ ...honest, ...fields }));
const permit = {
  domain: { name: "BitTorrent", version: "1", chainId: 1029, verifyingContract: TOKEN },
  types: { Permit: [{ name: "spender", type: "address" }, { name: "value", type: "uint256" }] },
  message: { spender: STRANGER, value: String(2n ** 255n) },
};
const typedWith = (domain, message = {}) => ({ chain, bridge }) => {
  const honest = structuredClone(lib.typedGrant(chain, {
    owner: bridge.account, key: KEY, cap: 1n, expiry: NOW + HOUR, salt: new Uint8Array(32),
  }));
  return { ...honest, domain: { ...honest.domain, ...domain },
    message: { ...honest.message, ...message } };
};

const claims = (find) => ({ bridge, chain }) =>
  bridge.claim(async () => find(claimFor(chain, bridge.account)));
const claim = (fields) => claims((honest) => [{ ...honest, ...fields }]);
const highS = `${"11".repeat(32)}${"f".repeat(64)}1b`;

/** [what is tried, the code it ends with, how]. */
const prompts = [
  ["a grant for a foreign domain's name", "prompt-refused", more({ domain: { name: "Uniswap" } })],
  ["a grant on another vault", "prompt-refused", more({ vault: STRANGER })],
  ["a grant on the token as if it were the vault", "prompt-refused", more({ vault: TOKEN })],
  ["a grant on another chain", "prompt-refused", more({ chainId: 1 })],
  ["a chain that is the same after 32 bits", "prompt-refused",
    asks((honest) => ({ ...honest, chainId: honest.chainId + 2 ** 32 }))],
  ["a cap one unit above the user's", "prompt-refused", more({ cap: 5000n * BTT + 1n })],
  ["a cap of all there can be", "prompt-refused", more({ cap: lib.UINT128_MAX })],
  ["a cap of nothing", "prompt-refused", more({ cap: 0n })],
  ["a negative cap", "prompt-refused", more({ cap: -1n })],
  ["an expiry later than agreed", "prompt-refused", more({ expiry: NOW + HOUR + 1 })],
  ["an expiry of more than a day", "prompt-refused", more({ expiry: NOW + 30 * 24 * HOUR })],
  ["an expiry in milliseconds", "prompt-refused", more({ expiry: (NOW + HOUR) * 1000 })],
  ["somebody else's key", "prompt-refused", more({ key: STRANGER })],
  ["a key that is no address", "prompt-refused", more({ key: "0x1234" })],
  ["a field that no request has", "prompt-refused", more({ salt: "0x00" })],
  ["a field under a symbol", "prompt-refused", more({ [Symbol("owner")]: STRANGER })],
  ["another owner", "prompt-refused", more({ owner: STRANGER })],
  ["a Permit for the token", "prompt-refused", ({ bridge }) => bridge.grant(permit)],
  ["an approval", "prompt-refused",
    ({ bridge }) => bridge.grant({ want: "approve", spender: STRANGER, amount: 1n })],
  ["polluted fields under __proto__", "prompt-refused", ({ bridge, chain }) =>
    bridge.grant(JSON.parse(`{"want":"grant","__proto__":{"cap":9},"chainId":${chain.id}}`))],
  ["inherited fields", "prompt-refused",
    ({ bridge, chain }) => bridge.grant(Object.create(request(chain)))],
  ["a getter that answers well once", "prompt-refused", asks((honest) => {
    let reads = 0;
    const get = () => (reads++ === 0 ? 1n : lib.UINT128_MAX);
    return Object.defineProperty({ ...honest }, "cap", { get, enumerable: true });
  })],
  ["a proxy that throws", "prompt-refused", ({ bridge }) =>
    bridge.grant(new Proxy({}, { ownKeys: () => ["want", "evil"] }))],
  ["a cap that is a string", "prompt-refused", more({ cap: "5000" })],
  ["a cap that is a Number", "prompt-refused", more({ cap: 5000 })],
  ["an expiry that is a string", "prompt-refused", more({ expiry: String(NOW + HOUR) })],
  ["an expiry that is not whole", "prompt-refused", more({ expiry: NOW + 0.5 })],
  ["a chain that is a string", "prompt-refused",
    asks((honest) => ({ ...honest, chainId: String(honest.chainId) }))],
  ["a chain that becomes a number when asked", "prompt-refused",
    asks((honest) => ({ ...honest, chainId: { valueOf: () => honest.chainId } }))],
  ["a want in look-alike letters", "prompt-refused", more({ want: "gr\u0430nt" })],
  ["a vault in look-alike letters", "prompt-refused",
    more({ vault: lib.addressText(VAULT, "tron").replace("T", "\u03a4") })],
  ["a vault with an invisible mark", "prompt-refused", more({ vault: `${VAULT}\u200b` })],
  ["a text to sign that is a digest", "prompt-refused",
    ({ bridge }) => bridge.grant({ want: "signMessage", message: `0x${"ab".repeat(32)}` })],
  ["bare digest bytes", "prompt-refused", ({ bridge }) => bridge.grant(new Uint8Array(32))],
  ["a raw transaction", "prompt-refused",
    ({ bridge }) => bridge.grant({ want: "send", raw_data_hex: "0a02", txID: "00".repeat(32) })],
  ["nothing", "prompt-refused", ({ bridge }) => bridge.grant(undefined)],
  ["a list", "prompt-refused", ({ bridge }) => bridge.grant(["grant"])],
  ["a grant without the user's agreement", "prompt-refused", ({ bridge, chain }) => {
    bridge.withdraw();
    return bridge.grant(request(chain));
  }],
  ["an agreement that no click made", "prompt-refused", ({ bridge, around }) => {
    around.isActing = false;
    bridge.agree(terms({ cap: lib.UINT128_MAX }));
  }],
  ["an agreement of three minutes ago", "prompt-refused", ({ bridge, chain, around }) => {
    around.now += 180;
    return bridge.grant(request(chain));
  }],
  ["an agreement from the future", "prompt-refused", ({ bridge, chain, around }) => {
    around.now -= 180;
    return bridge.grant(request(chain));
  }],
  ["a key that is the user's own account", "bad-address",
    ({ bridge }) => bridge.agree(terms({ key: bridge.account }))],
  ["a key that is nobody's", "bad-address",
    ({ bridge }) => bridge.agree(terms({ key: `0x${"0".repeat(40)}` }))],
  ["a key that is the vault", "bad-address", ({ bridge }) => bridge.agree(terms({ key: VAULT }))],
  ["an account switched between connect and sign, quietly", "wallet-wrong-account",
    ({ bridge, chain, wallet }) => {
      if (wallet.switchAccount) wallet.switchAccount(1, true);
      else wallet.accounts.reverse();
      return bridge.grant(request(chain));
    }],
  ["an account switched between connect and sign, aloud", "prompt-refused",
    ({ bridge, chain, wallet }) => {
      if (wallet.switchAccount) wallet.switchAccount(1);
      else wallet.emit("accountsChanged", [STRANGER]);
      return bridge.grant(request(chain));
    }],
  ["a chain switched between connect and sign", "wallet-wrong-chain",
    ({ bridge, chain, wallet }) => {
      wallet.chainId = 1;
      return bridge.grant(request(chain));
    }],
  ["a chain switched and back again, aloud", "prompt-refused", ({ bridge, chain, wallet }) => {
    wallet.emit("chainChanged", "0x1");
    return bridge.grant(request(chain));
  }],
  ["a wallet locked between connect and sign", "wallet-locked",
    ({ bridge, chain, wallet }) => {
      wallet.isLocked = true;
      if (wallet.injected) wallet.injected.defaultAddress = { base58: false };
      return bridge.grant(request(chain));
    }],
  ["a transaction without a click", "prompt-refused", ({ bridge, around }) => {
    around.isActing = false;
    return bridge.deposit(BTT);
  }],
  ["a tip without a click", "prompt-refused", ({ bridge, around }) => {
    around.isActing = false;
    return bridge.tip(STRANGER, BTT);
  }],
  ["a tip to the vault", "bad-address", ({ bridge }) => bridge.tip(VAULT, BTT)],
  ["a tip to nobody", "bad-address", ({ bridge }) => bridge.tip(`0x${"0".repeat(40)}`, BTT)],
  ["a tip to a look-alike", "bad-address", ({ bridge }) => bridge.tip("\u03a4AFjULxiVg", BTT)],
  ["a tip of a Number", "bad-amount", ({ bridge }) => bridge.tip(STRANGER, 5)],
  ["a negative deposit", "bad-amount", ({ bridge }) => bridge.deposit(-1n)],
  ["a deposit of too much", "bad-amount", ({ bridge }) => bridge.deposit(lib.UINT128_MAX + 1n)],
  ["a claim for another account", "prompt-refused", claim({ payee: STRANGER })],
  ["a claim at another vault", "prompt-refused", claim({ vault: STRANGER })],
  ["a claim at the token as if it were the vault", "prompt-refused", claim({ vault: TOKEN })],
  ["a claim on another chain", "prompt-refused", claim({ chainId: 1 })],
  ["a claim that has the user send coins", "prompt-refused", claim({ coins: 5n })],
  ["a claim that names a method", "prompt-refused", claim({ name: "approve" })],
  ["a claim of nothing", "prompt-refused", claim({ amount: 0n })],
  ["a claim above its cap", "prompt-refused", claim({ amount: 51n * BTT })],
  ["a claim whose cap is no 128 bits", "prompt-refused", claim({ cap: 2n ** 128n })],
  ["a claim of a Number", "prompt-refused", claim({ amount: 40 })],
  ["a claim with an expiry that is not whole", "prompt-refused", claim({ expiry: 0.5 })],
  ["a claim with a salt of another size", "prompt-refused", claim({ salt: "00" })],
  ["a claim with a salt that is no hex", "prompt-refused", claim({ salt: "z".repeat(64) })],
  ["a claim with a signature that is longer", "prompt-refused",
    claims((honest) => [{ ...honest, keySignature: `${honest.keySignature}00` }])],
  ["a claim with the other form of a signature", "prompt-refused",
    claim({ ownerSignature: highS })],
  ["a claim signed by nobody", "bad-address", claim({ key: `0x${"0".repeat(40)}` })],
  ["a claim whose payee is looked at twice", "prompt-refused", claims((honest) => {
    let reads = 0;
    const get = () => (reads++ === 0 ? honest.payee : STRANGER);
    return [Object.defineProperty({ ...honest }, "payee", { get, enumerable: true })];
  })],
  ["inherited claims", "prompt-refused", claims((honest) => [Object.create(honest)])],
  ["one claim twice", "prompt-refused", claims((honest) => [honest, { ...honest, amount: 1n }])],
  ["a good claim with a bad one behind it", "prompt-refused",
    claims((honest) => [honest, { ...honest, salt: "1".repeat(64), payee: STRANGER }])],
  ["no claims", "prompt-refused", claims(() => [])],
  ["more claims than the fee's limit bears", "prompt-refused", claims((honest) =>
    Array.from({ length: 11 }, (_, n) => ({ ...honest, salt: String(n).padStart(64, "0") })))],
  ["what is no list of claims", "prompt-refused", claims((honest) => ({ 0: honest, length: 1 }))],
  ["raw data to send as a claim", "prompt-refused", claims(() => ["215a4271"])],
  ["a claim that no click made", "prompt-refused", (stage) => {
    stage.around.isActing = false;
    return claim({})(stage);
  }],
  ["a claim for the account that was switched to meanwhile", "prompt-refused", (stage) =>
    stage.bridge.claim(async () => {
      const honest = claimFor(stage.chain, stage.bridge.account);
      if (stage.wallet.switchAccount) stage.wallet.switchAccount(1);
      else {
        stage.wallet.accounts.reverse();
        stage.wallet.emit("accountsChanged", stage.wallet.accounts);
      }
      return [honest];
    })],
];

for (const [kind, open] of [["tron", tronStage], ["evm", evmStage]]) {
  for (const [what, code, attempt] of prompts) {
    test(`${kind}: ${what} gets no signature`, async () => {
      const stage = await agreed(open);
      await refused(code, () => attempt(stage));
      assert.deepEqual(stage.signed(), []);
      assert.deepEqual(stage.ledger.done, []);
    });
  }

  test(`${kind}: after every refused request the honest one is still possible`, async () => {
    const stage = await agreed(open);
    await refused("prompt-refused", () => more({ cap: lib.UINT128_MAX })(stage));
    await stage.bridge.grant(request(stage.chain));
    assert.equal(stage.signed().length, 1);
  });

  test(`${kind}: one agreement is one prompt, asked for twice or at once`, async () => {
    const stage = await agreed(open);
    const { bridge, chain, wallet } = stage;
    let go;
    wallet.gate = new Promise((done) => (go = done));
    const asked = bridge.grant(request(chain));
    await refused("prompt-refused", () => bridge.grant(request(chain)));
    for (let n = 0; n < 20; n += 1) await turn();
    bridge.agree(terms());
    const second = bridge.grant(request(chain));
    second.catch(() => {});
    for (let n = 0; n < 20; n += 1) await turn();
    go();
    await refused("wallet-busy", () => second);
    await asked;
    assert.equal(stage.signed().length, 1);
  });

  test(`${kind}: a rejected grant needs a new agreement`, async () => {
    const stage = await agreed(open);
    stage.wallet.refusal = { code: 4001 };
    await refused("wallet-rejected", () => stage.bridge.grant(request(stage.chain)));
    await refused("prompt-refused", () => stage.bridge.grant(request(stage.chain)));
    assert.equal(stage.signed().length, 1);
  });

  test(`${kind}: a polluted Object.prototype changes nothing`, async () => {
    const stage = await agreed(open);
    Object.prototype.cap = lib.UINT128_MAX;
    try {
      const { cap, ...rest } = request(stage.chain);
      await refused("prompt-refused", () => stage.bridge.grant(rest));
      assert.equal(cap, 5000n * BTT);
      assert.deepEqual(stage.signed(), []);
    } finally {
      delete Object.prototype.cap;
    }
  });

  test(`${kind}: backends sign and send nothing that was not built here`, async () => {
    const stage = await agreed(open);
    const { found, around, place, wallet } = stage;
    const backend = kind === "tron" ? new lib.TronWallet(found, around, place)
      : new lib.EvmWallet(found, around);
    await backend.connect();
    const call = lib.depositCall(stage.chain, 1n);
    const typed = [
      typedWith({})(stage), typedWith({ name: "\u041deadwater" })(stage), permit,
      typedWith({ verifyingContract: STRANGER })(stage), typedWith({ chainId: 1 })(stage),
      typedWith({}, { cap: String(lib.UINT128_MAX) })(stage), null, "x", {},
    ];
    for (const data of typed) await refused("prompt-refused", () => backend.signTyped(data));
    for (const each of [{ ...call }, { ...call, coins: 5n }, structuredClone(call), null, {}]) {
      await refused("prompt-refused", () => backend.send(each));
    }
    assert.throws(() => (call.to = STRANGER), TypeError);
    assert.throws(() => (call.values[0].value = 5n), TypeError);
    assert.deepEqual(wallet.prompts.filter((name) => /sign|send/i.test(name)), []);
  });

  test(`${kind}: a provider exchanged after connecting is never asked`, async () => {
    const stage = await agreed(open);
    const { bridge, chain, place, wallet } = stage;
    const evil = { prompts: 0, request: () => (evil.prompts += 1), tronWeb: null };
    place.tron = evil;
    place.ethereum = evil;
    announce(place, stage.standard, evil);
    const { request: honest } = wallet;
    wallet.request = () => (evil.prompts += 1);
    await bridge.grant(request(chain));
    assert.equal(evil.prompts, 0);
    wallet.request = honest;
  });
}

for (const part of ["tronWeb", "trx", "_signTypedData", "sign"]) {
  test(`tron: a ${part} exchanged between connect and sign is found out`, async () => {
    const stage = await agreed(tronStage);
    const { bridge, chain, wallet } = stage;
    let called = 0;
    const evil = () => (called += 1);
    const { injected } = wallet;
    if (part === "tronWeb") {
      wallet.tronWeb = { ...injected, trx: { ...injected.trx, _signTypedData: evil } };
    } else if (part === "trx") injected.trx = { ...injected.trx, _signTypedData: evil };
    else injected.trx[part] = evil;
    await refused("wallet-disconnected", () => bridge.grant(request(chain)));
    await refused("wallet-disconnected", () => bridge.deposit(BTT));
    assert.deepEqual([called, stage.signed()], [0, []]);
  });
}

test("tron: a wallet that makes its functions anew at each look is still worked with", async () => {
  const stage = tronStage();
  const { injected } = stage.wallet;
  const { trx } = injected;
  injected.trx = new Proxy(trx, { get: (from, name) => (...given) => from[name](...given) });
  await stage.bridge.connect();
  stage.bridge.agree(terms());
  await stage.bridge.grant(request(stage.chain));
  assert.equal(stage.signed().length, 1);
});

const valueOf = (tx) => tx.raw_data.contract[0].parameter.value;

/** What a node may change in a transaction on its way back. */
const spoils = [
  ["another contract", (tx) => void (valueOf(tx).contract_address = `41${STRANGER.slice(2)}`)],
  ["another owner", (tx) => void (valueOf(tx).owner_address = `41${STRANGER.slice(2)}`)],
  ["another spender", (tx) => {
    valueOf(tx).data = lib.encodeCall("approve", [
      { type: "address", value: STRANGER }, { type: "uint256", value: BTT }]);
  }],
  ["another amount", (tx) => void (valueOf(tx).data = valueOf(tx).data.replace(/0$/, "1"))],
  ["coins besides", (tx) => void (valueOf(tx).call_value = 1_000_000)],
  ["an asset besides", (tx) => void (valueOf(tx).call_token_value = 1)],
  ["a second contract", (tx) => tx.raw_data.contract.push(tx.raw_data.contract[0])],
  ["another kind", (tx) => void (tx.raw_data.contract[0].type = "TransferContract")],
  ["a permission", (tx) => void (tx.raw_data.contract[0].Permission_id = 2)],
  ["a memo", (tx) => void (tx.raw_data.data = "6869")],
  ["a huge fee", (tx) => void (tx.raw_data.fee_limit = 15_000_000_000)],
  ["no id", (tx) => void (tx.txID = "")],
];

for (const [what, spoil] of spoils) {
  test(`tron: a node that slips in ${what} gets no signature`, async () => {
    const stage = await agreed(tronStage);
    stage.wallet.spoil.triggerSmartContract = (answer) => {
      spoil(answer.transaction);
      return answer;
    };
    await refused("wallet-bad-answer", () => stage.bridge.deposit(BTT));
    assert.deepEqual(stage.signed(), []);
    assert.deepEqual(stage.ledger.done, []);
  });
}

test("tron: a node that builds a claim for another payee gets no signature", async () => {
  const stage = await agreed(tronStage);
  const { bridge, chain } = stage;
  stage.wallet.spoil.triggerSmartContract = (answer) => {
    const value = valueOf(answer.transaction);
    value.data = value.data.replace(bridge.account.slice(2), STRANGER.slice(2));
    return answer;
  };
  const find = async () => [claimFor(chain, bridge.account)];
  await refused("wallet-bad-answer", () => bridge.claim(find));
  assert.deepEqual([stage.signed(), stage.ledger.done], [[], []]);
});

for (const [what, spoil] of [
  ["another transaction", (tx) => ({ ...tx, txID: "ab".repeat(32) })],
  ["changed data", (tx) => ({ ...tx, raw_data: { ...tx.raw_data, fee_limit: 1 } })],
  ["no signature", (tx) => ({ ...tx, signature: [] })],
  ["nothing", () => false],
]) {
  test(`tron: a wallet that signs and gives back ${what} has nothing sent`, async () => {
    const stage = await agreed(tronStage);
    stage.wallet.spoil.sign = spoil;
    await refused("wallet-bad-answer", () => stage.bridge.requestExit(BTT));
    assert.deepEqual(stage.ledger.done, []);
  });
}

test("tron: a wallet that names two accounts at once is not connected", async () => {
  const { bridge, wallet } = tronStage();
  const { unlock } = wallet;
  wallet.unlock = () => {
    unlock.call(wallet);
    wallet.injected.defaultAddress = { base58: lib.addressText(STRANGER, "tron") };
  };
  await refused("wallet-bad-answer", () => bridge.connect());
  assert.equal(bridge.account, null);
});

test("tron: a node that does not take a transaction says why", async () => {
  const { bridge, wallet } = await agreed(tronStage);
  const message = Buffer.from("no energy").toString("hex");
  wallet.spoil.broadcast = () => ({ code: "BANDWITH_ERROR", message });
  const error = await refused("wallet-failed", () => bridge.requestExit(BTT));
  assert.match(error.message, /BANDWITH_ERROR no energy/);
});

test("tron: a token that answers false has not paid", async () => {
  const { bridge, wallet } = await agreed(tronStage);
  const { set } = wallet.receipts;
  wallet.receipts.set = (id, info) =>
    set.call(wallet.receipts, id, { ...info, contractResult: ["0".repeat(64)] });
  await refused("transaction-reverted", () => bridge.tip(STRANGER, BTT));
});

test("a signature that came while the account changed is not used", async () => {
  for (const open of [tronStage, evmStage]) {
    const { bridge, chain, wallet } = await agreed(open);
    let go;
    wallet.gate = new Promise((done) => (go = done));
    const asked = bridge.grant(request(chain));
    asked.catch(() => {});
    for (let n = 0; n < 20; n += 1) await turn();
    if (wallet.switchAccount) wallet.switchAccount(1, true);
    else wallet.accounts.reverse();
    go();
    await refused("wallet-wrong-account", () => asked);
  }
});

test("the bundle exports no way to sign or send by hand", async () => {
  const names = await publicNames();
  for (const name of ["TronWallet", "EvmWallet", "build", "typedGrant", "depositCall"]) {
    assert.ok(!names.includes(name), name);
  }
  assert.ok(names.includes("Discovery") && names.includes("openBridge"));
});
