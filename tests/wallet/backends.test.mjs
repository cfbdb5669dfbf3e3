// Both kinds of wallet in every mood: rejecting, locked, busy, on the wrong chain, changing
// accounts, going away, answering nonsense.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  BTT, claimFor, evmStage, hasSigned, lib, MockTron, NOW, refused, request, STRANGER, terms,
  TronWeb, tronStage, VAULT,
} from "./stage.mjs";

const stages = [["tron", tronStage], ["evm", evmStage]];
const error = (code, message = "x") => Object.assign(new Error(message), { code });

for (const [kind, open] of stages) {
  test(`${kind}: a grant is signed once, with TronWeb's own digest, by the owner`, async () => {
    const { bridge, chain, wallet, signed } = open();
    const owner = await bridge.connect();
    bridge.agree(terms());
    const grant = await bridge.grant(request(chain));
    assert.equal(grant.grant.owner, owner);
    assert.ok(hasSigned(chain, grant, owner));
    assert.ok(!hasSigned(chain, { ...grant, grant: { ...grant.grant, cap: 1n } }, owner));
    assert.equal(signed().length, 1);
    assert.deepEqual([grant.chainId, grant.vault], [chain.id, VAULT]);
    if (kind === "evm") assert.equal(wallet.domainType.length, 4);
  });

  test(`${kind}: a user who rejects is not asked again`, async () => {
    const { bridge, wallet } = open();
    wallet.refusal = error(4001, "User rejected the request");
    await refused("wallet-rejected", () => bridge.connect());
    assert.deepEqual(wallet.prompts.length, 1);
    assert.equal(bridge.account, null);
  });

  test(`${kind}: a locked wallet is called locked`, async () => {
    const { bridge, wallet } = open();
    wallet.isLocked = true;
    await refused("wallet-locked", () => bridge.connect());
  });

  for (const code of [-32002, 4000]) {
    test(`${kind}: a popup that is open already is busy (${code})`, async () => {
      const { bridge, wallet } = open();
      wallet.refusal = error(code);
      await refused("wallet-busy", () => bridge.connect());
    });
  }

  test(`${kind}: two connects at once ask once`, async () => {
    const { bridge, wallet } = open();
    let go;
    wallet.gate = new Promise((done) => (go = done));
    const both = [bridge.connect(), bridge.connect()];
    await turn();
    go();
    const [one, two] = await Promise.all(both);
    assert.equal(one, two);
    assert.equal(wallet.prompts.length, 1);
  });

  test(`${kind}: a wallet on another chain is changed to ours`, async () => {
    const { bridge, chain, wallet } = open();
    wallet.chainId = 7;
    await bridge.connect();
    assert.equal(wallet.chainId, chain.id);
    assert.equal(wallet.prompts.at(-1), "wallet_switchEthereumChain");
  });

  test(`${kind}: a wallet that says it changed chains and did not is found out`, async () => {
    const { bridge, wallet } = open();
    wallet.chainId = 7;
    wallet.chainSwitches = false;
    if (kind === "evm") wallet.spoil.eth_chainId = () => "0x7";
    await refused("wallet-wrong-chain", () => bridge.connect());
  });

  test(`${kind}: a wallet that goes away ends what waits for it`, async () => {
    const { bridge, chain, wallet } = open();
    await bridge.connect();
    bridge.agree(terms());
    wallet.gate = new Promise(() => {});
    const asked = bridge.grant(request(chain));
    await turn();
    bridge.close();
    await refused("wallet-disconnected", () => asked);
  });

  test(`${kind}: a disconnect is told, and nothing is sent after it`, async () => {
    const { bridge, wallet, signed } = open();
    await bridge.connect();
    const told = [];
    bridge.listen((change) => told.push(change.is));
    wallet.emit("disconnect", error(4900));
    assert.deepEqual(told, ["gone"]);
    assert.equal(bridge.account, null);
    await refused("prompt-refused", () => bridge.deposit(BTT));
    assert.deepEqual(signed(), []);
  });

  test(`${kind}: another account counts only after the user connects it`, async () => {
    const { bridge, wallet } = open();
    const before = await bridge.connect();
    const told = [];
    bridge.listen((change) => told.push(change));
    if (kind === "tron") wallet.switchAccount(1);
    else {
      wallet.accounts.reverse();
      wallet.emit("accountsChanged", wallet.accounts);
    }
    assert.equal(told[0].is, "account");
    assert.notEqual(told[0].account, before);
    assert.equal(bridge.account, null);
    assert.equal(await bridge.connect(), told[0].account);
  });

  test(`${kind}: a change of chains is told`, async () => {
    const { bridge, wallet } = open();
    await bridge.connect();
    const told = [];
    bridge.listen((change) => told.push(change));
    wallet.emit("chainChanged", kind === "tron" ? { chainId: "0x7" } : "0x7");
    assert.deepEqual(told, [{ is: "chain", chainId: 7 }]);
  });

  test(`${kind}: nonsense instead of an account is a bad answer`, async () => {
    for (const answer of [null, "x", {}, [5], ["T123"], [null], 7]) {
      const { found, chain, around, place } = open();
      const provider = { ...found.provider, request: async () => answer };
      const asked = lib.openBridge({ ...found, provider }, chain, around, place);
      await refused("wallet-bad-answer", () => asked.connect());
    }
  });

  test(`${kind}: a deposit is confirmed only by its receipt`, async () => {
    const { bridge, around, ledger } = open();
    await bridge.connect();
    const steps = [];
    const receipt = await bridge.deposit(5n * BTT, (step) => steps.push(step));
    assert.equal((await bridge.balance()).vault, 5n * BTT);
    assert.equal(receipt.logs.length, 1);
    const wanted = kind === "tron" ? ["approving", "depositing"] : ["depositing"];
    assert.deepEqual(steps, wanted);
    assert.deepEqual(ledger.done, kind === "tron" ? ["approve", "deposit"] : ["deposit"]);
    assert.deepEqual(bridge.history().map((entry) => [entry.kind, entry.amount]),
      [["deposit", 5n * BTT]]);
    assert.equal(around.slept, 0);
  });

  test(`${kind}: claims go into the account's balance, several in one transaction`, async () => {
    const { bridge, chain, ledger, signed } = open();
    const account = await bridge.connect();
    const find = (...all) => async () => all.map((n) => claimFor(chain, account, n));
    await bridge.claim(find(1));
    await bridge.claim(find(2, 3));
    assert.deepEqual(ledger.done, ["claim", "claimMany"]);
    assert.equal(signed().length, 2);
    assert.equal((await bridge.balance()).vault, 120n * BTT);
    const told = bridge.history().map(({ kind: what, payee, amount }) => [what, payee, amount]);
    assert.deepEqual(told, Array(3).fill(["claim", account, 40n * BTT]));
  });

  test(`${kind}: a claim that cannot be found asks the wallet nothing`, async () => {
    const { bridge, signed } = open();
    await bridge.connect();
    const missing = new lib.HeadwaterError("nothing-to-claim", "no voucher is open");
    await refused("nothing-to-claim", () => bridge.claim(() => Promise.reject(missing)));
    assert.deepEqual(signed(), []);
    await bridge.requestExit(BTT);
  });

  test(`${kind}: a revert fails with the contract's reason`, async () => {
    const { bridge, ledger } = open();
    await bridge.connect();
    ledger.refusal = "vault is closed";
    const { message } = await refused("transaction-reverted", () => bridge.requestExit(BTT));
    assert.match(message, /vault is closed/);
    assert.deepEqual(bridge.history(), []);
  });

  test(`${kind}: a transaction that no block takes is waited for only so long`, async () => {
    const { bridge, around, wallet } = open();
    await bridge.connect();
    wallet.receipts.get = () => undefined;
    await refused("transaction-unconfirmed", () => bridge.exit());
    assert.equal(around.slept, 180_000);
  });

  test(`${kind}: money comes out in two steps`, async () => {
    const { bridge, ledger } = open();
    await bridge.connect();
    await bridge.deposit("5000000000000000000");
    await bridge.requestExit(2n * BTT);
    const { exiting, exitAt } = await bridge.balance();
    assert.deepEqual([exiting, exitAt], [2n * BTT, 1_800_172_800]);
    await bridge.exit();
    assert.equal((await bridge.balance()).vault, 3n * BTT);
    assert.deepEqual(ledger.done.slice(-2), ["requestExit", "exit"]);
  });

  test(`${kind}: a prompt that is never answered ends`, async (t) => {
    const { bridge, chain, wallet } = open();
    await bridge.connect();
    bridge.agree(terms());
    t.mock.timers.enable({ apis: ["setTimeout"] });
    wallet.gate = new Promise(() => {});
    const asked = bridge.grant(request(chain));
    for (let n = 0; n < 20; n += 1) await turn();
    t.mock.timers.tick(5 * 60_000);
    await refused("wallet-busy", () => asked);
  });

  test(`${kind}: an expiry in the past or too far off is never signed`, async () => {
    const { bridge, signed } = open();
    await bridge.connect();
    for (const expiry of [NOW, NOW - 1, NOW + 24 * 3600 + 1, NaN, Infinity, 1.5]) {
      await refused("prompt-refused", () => bridge.agree(terms({ expiry })));
    }
    assert.deepEqual(signed(), []);
  });
}

test("tron: an allowance that suffices is not approved again", async () => {
  const { bridge, ledger, wallet } = tronStage();
  await bridge.connect();
  ledger.allowances.set(`${bridge.account.slice(2)}>${VAULT.slice(2)}`, 10n * BTT);
  await bridge.deposit(5n * BTT);
  assert.deepEqual(ledger.done, ["deposit"]);
  assert.deepEqual(wallet.prompts.filter((name) => name === "sign").length, 1);
});

test("tron: an approval that was made smaller in the wallet stops the deposit", async () => {
  const { bridge, ledger } = tronStage();
  await bridge.connect();
  const { run } = ledger;
  ledger.run = (call) => {
    const done = run.call(ledger, call);
    ledger.allowances.clear();
    return done;
  };
  await refused("transaction-reverted", () => bridge.deposit(5n * BTT));
  assert.deepEqual(ledger.done, ["approve"]);
});

test("tron: tips go out as TRC-20 and as TRC-10", async () => {
  const { bridge, ledger, found, around, wallet, place } = tronStage();
  await bridge.connect();
  await bridge.tip(lib.addressText(STRANGER, "tron"), 3n * BTT);
  assert.equal(ledger.balances.get(STRANGER.slice(2)), 3n * BTT);
  await refused("wallet-unsupported", () => bridge.tip(STRANGER, 1n, "asset"));
  wallet.chainId = lib.CHAINS.tron.id;
  const onTron = lib.openBridge(found, lib.CHAINS.tron, around, place);
  await onTron.connect();
  await onTron.tip(STRANGER, 1_000_000n, "asset");
  assert.equal(ledger.done.at(-1), "asset 1000000");
  await refused("bad-amount", () => onTron.tip(STRANGER, 2n ** 53n, "asset"));
});

test("evm: tips go out as coins", async () => {
  const { bridge, ledger } = evmStage();
  await bridge.connect();
  await bridge.tip(STRANGER, 3n * BTT);
  assert.equal(ledger.done[0], `coins ${3n * BTT}`);
  assert.equal((await bridge.balance()).free, 10n ** 21n);
});

test("evm: a chain that the wallet does not know is added and then used", async () => {
  const { found, around, wallet, place } = evmStage();
  wallet.knowsChain = false;
  const bridge = lib.openBridge(found, lib.CHAINS.bttc, around, place);
  await bridge.connect();
  assert.equal(wallet.chainId, 199);
  assert.deepEqual(wallet.prompts.slice(-2),
    ["wallet_switchEthereumChain", "wallet_addEthereumChain"]);
});

test("tron: a wallet that knows no eth_chainId is asked for its first block", async () => {
  const { bridge, wallet } = tronStage();
  wallet.namesChain = false;
  await bridge.connect();
  bridge.agree(terms());
  wallet.changeChain(7, true);
  await refused("wallet-wrong-chain", () => bridge.grant(request(bridge.chain)));
});

function legacy() {
  const stage = tronStage();
  const { wallet, chain, around, place } = stage;
  const found = { ...stage.found, isLegacy: true };
  return { wallet, place, bridge: lib.openBridge(found, chain, around, place) };
}

test("legacy: the older TronLink is connected by its own request", async () => {
  const { wallet, bridge } = legacy();
  await bridge.connect();
  assert.deepEqual(wallet.prompts, ["tron_requestAccounts"]);
  bridge.agree(terms());
  assert.ok(hasSigned(bridge.chain, await bridge.grant(request(bridge.chain)), bridge.account));
});

for (const [answer, code] of [
  [{ code: 4001 }, "wallet-rejected"], [{ code: 4000 }, "wallet-busy"], ["", "wallet-locked"],
  [undefined, "wallet-locked"],
]) {
  test(`legacy: ${JSON.stringify(answer)} is ${code}`, async () => {
    const { wallet, bridge } = legacy();
    wallet.answer = () => answer;
    await refused(code, () => bridge.connect());
  });
}

test("legacy: changes are heard from window messages and looked up in the wallet", async () => {
  const { wallet, place, bridge } = legacy();
  const before = await bridge.connect();
  const told = [];
  bridge.listen((change) => told.push(change));
  const post = (data) => place.dispatchEvent(Object.assign(new Event("message"), { data }));
  post({ message: { action: "accountsChanged", data: { address: "TFake" } } });
  post({ message: { action: "somethingElse" } });
  post(null);
  assert.deepEqual(told, []);
  assert.equal(bridge.account, before);
  wallet.switchAccount(1, true);
  post({ message: { action: "setAccount" } });
  assert.equal(told[0].is, "account");
  assert.equal(bridge.account, null);
});

test("legacy: a wrong chain is the user's to change", async () => {
  const { wallet, bridge } = legacy();
  wallet.chainId = 7;
  const { message } = await refused("wallet-wrong-chain", () => bridge.connect());
  assert.match(message, /inside the wallet/);
});

test("a rejection that is a bare sentence is a rejection", async () => {
  const { bridge, chain, wallet } = tronStage();
  await bridge.connect();
  bridge.agree(terms());
  wallet.refusal = "Confirmation declined by user";
  await refused("wallet-rejected", () => bridge.grant(request(chain)));
});

test("what a wallet throws is cut, cleaned and never thrown through", async () => {
  const hostile = [
    new Proxy({}, { get: () => { throw new Error("no"); } }), null, undefined, Symbol("x"),
    { code: "4001", message: { toString: () => "x" } }, "x".repeat(1e6), { message: "\u202e" },
  ];
  for (const thrown of hostile) {
    const { bridge, wallet } = tronStage();
    wallet.refusal = thrown;
    if (thrown === null) continue;
    const { message } = await refused("wallet-failed", () => bridge.connect());
    assert.ok(message.length < 300);
  }
});

test("a provider without a TronWeb is locked", async () => {
  const { chain, around, place, found } = tronStage();
  const provider = new MockTron({
    TronWeb, keys: ["11".repeat(32)], chainId: chain.id, ledger: null,
  });
  provider.unlock = () => {};
  const bare = lib.openBridge({ ...found, provider }, chain, around, place);
  await refused("wallet-locked", () => bare.connect());
  assert.equal(bare.account, null);
});
