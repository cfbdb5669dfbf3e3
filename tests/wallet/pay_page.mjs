// Runs in the page of the panel's tests: TronWeb 6.5.1 behind a TIP-6963 provider, and a port that
// plays a script instead of an engine.

import { mountPay } from "./pay.js";
import { CHAINS, testLedger } from "./headwater-wallet.js";
import { TestLedger } from "./ledger.mjs";
import { announce, MockTron } from "./mock_tron.mjs";

const query = new URLSearchParams(location.search);
const vault = "44".repeat(20);
const token = "55".repeat(20);
const TronWeb = window.TronWeb.TronWeb ?? window.TronWeb;

const chain = testLedger({
  id: 0xcd8690dc, kind: "tron", vault: `0x${vault}`, token: `0x${token}`,
});
const ledger = new TestLedger({ token, vault });
const keys = ["11".repeat(32), "22".repeat(32)];
const wallet = new MockTron({ TronWeb, keys, chainId: chain.id, ledger });
ledger.balances.set("19e7e376e7c213b7e7e7e46cc70a5dd086daff2a", 900n * 10n ** 18n);

/** Stands in for the engine: notes what it is told, and tells what a test has it tell. */
class ScriptedPort {
  calls = [];
  listeners = new Set();
  refusal = null;
  recallRefusal = query.has("second-tab") ? { code: "second-tab", message: "x" } : null;
  limits = [];

  async sessionKey() {
    return `0x${"77".repeat(20)}`;
  }

  async start(purse) {
    this.note("start");
    this.purse = purse;
  }

  async stop() {
    this.note("stop");
  }

  async recall() {
    this.note("recall");
    if (this.recallRefusal !== null) throw this.recallRefusal;
  }

  async sell(sale) {
    this.note("sell");
    this.sale = sale;
    if (this.refusal !== null) throw this.refusal;
  }

  async stopSelling() {
    this.note("stopSelling");
  }

  async claim(wallet, node) {
    this.note("claim");
    this.claimed = { account: wallet.account, node };
    if (this.refusal !== null) throw this.refusal;
    return 40n * 10n ** 18n;
  }

  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(news) {
    for (const listener of this.listeners) listener(news);
  }

  note(name) {
    this.calls.push(name);
  }
}

const port = new ScriptedPort();
const chains = query.has("no-vault") ? [CHAINS.tron] : [chain];
const node = query.has("no-node") ? "" : "https://node.example.org";
const limitUpload = async (bytes) => void port.limits.push(bytes);
const unmount = mountPay(document.getElementById("place"), port, { chains, node, limitUpload });
const info = {
  name: query.get("name") ?? "Test wallet (worthless tokens)",
  icon: "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>" +
    "<circle cx='4' cy='4' r='4' fill='%230a6780'/></svg>",
};
if (!query.has("late") && !query.has("none")) announce(window, "TIP6963", wallet, info);

// A hostile script clicks by itself; a test's own script would count as the user's hand.
if (query.has("clicks")) {
  const watch = new MutationObserver(() => {
    const button = document.querySelector(".pay-wallets button");
    if (button === null) return;
    watch.disconnect();
    button.click();
  });
  watch.observe(document.body, { childList: true, subtree: true });
  document.querySelector("#pay-on").click();
}

window.pay = {
  port, wallet, ledger, unmount, TronWeb, chain,
  arrive: () => announce(window, "TIP6963", wallet, info),
};
