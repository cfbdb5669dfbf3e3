// Wallets in a page that ask nobody: TronWeb as npm has it, behind a TIP-6963 provider; and one of
// the Ethereum kind.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const main = createRequire(import.meta.url).resolve("tronweb");
const library = join(dirname(main).replace(/lib.*$/, ""), "dist/TronWeb.js");

/** Has every page of `context` find a wallet with this key, which everybody may know. */
export async function bringWallet(context, { node, key, chainId }) {
  await context.addInitScript({ path: library });
  await context.addInitScript(inject, { node, key, chainId });
}

/**
 * Has every page of `context` find a wallet of the Ethereum kind (EIP-6963): the node itself, which
 * signs for accounts that everybody knows; `account` says for which.
 */
export async function bringEvmWallet(context, { node, chainId, account = 0 }) {
  await context.addInitScript(injectEvm, { node, chainId, account });
}

/** Runs in the page. */
function injectEvm({ node, chainId, account }) {
  const prompts = [];
  const ask = async (method, params = []) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { "content-type": "application/json" };
    const answer = await (await fetch(node, { method: "POST", headers, body })).json();
    if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.result;
  };
  const provider = {
    on: () => {},
    removeListener: () => {},
    request: async ({ method, params }) => {
      if (method === "eth_chainId") return `0x${chainId.toString(16)}`;
      if (/^eth_(requestAccounts|accounts)$/.test(method)) {
        return (await ask("eth_accounts")).slice(account, account + 1);
      }
      if (/^eth_(send|sign)/.test(method)) prompts.push(method);
      return ask(method, params);
    },
  };
  const info = {
    uuid: "5d7b1f0e-90ab-4d0c-8b60-6e3f6f3c1c55", rdns: "org.example.test",
    name: "Test wallet (worthless coins)", icon: "data:image/png;base64,",
  };
  const tell = () => dispatchEvent(
    new CustomEvent("eip6963:announceProvider", { detail: { info, provider } }));
  addEventListener("eip6963:requestProvider", tell);
  tell();
  window.testWallet = { prompts };
}

/** Runs in the page. */
function inject({ node, key, chainId }) {
  const TronWeb = window.TronWeb.TronWeb ?? window.TronWeb;
  const real = new TronWeb({ fullHost: node, privateKey: key });
  const account = real.address.fromPrivateKey(key);
  const prompts = [];
  const note = (place, name) => {
    const plain = place[name].bind(place);
    place[name] = (...given) => {
      prompts.push(name);
      return plain(...given);
    };
  };
  note(real.trx, "_signTypedData");
  note(real.trx, "sign");
  const provider = {
    tronWeb: false,
    on: () => {},
    removeListener: () => {},
    request: async ({ method }) => {
      if (method === "eth_requestAccounts") {
        provider.tronWeb = real;
        return [account];
      }
      if (method === "eth_chainId") return `0x${chainId.toString(16)}`;
      throw Object.assign(new Error(`no ${method}`), { code: 4200 });
    },
  };
  const info = {
    uuid: "b1d0b6e2-6ad5-4f4c-9d53-4a3c7b0a5d11", rdns: "org.example.test",
    name: "Test wallet (worthless tokens)", icon: "data:image/png;base64,",
  };
  const tell = () => dispatchEvent(
    new CustomEvent("TIP6963:announceProvider", { detail: { info, provider } }));
  addEventListener("TIP6963:requestProvider", tell);
  tell();
  window.testWallet = { prompts };
}
