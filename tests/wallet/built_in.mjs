// The wallet of `cargo xtask demo --pay`: TronWeb as npm has it behind a TIP-6963 provider, with a
// key of the test ledger that everybody knows. It asks nobody before it signs: its tokens are
// worthless. `NODE`, `KEY` and `CHAIN_ID` are filled in when it is bundled.

/* global NODE, KEY, CHAIN_ID */

import { TronWeb } from "tronweb";

const ICON = "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>" +
  "<circle cx='4' cy='4' r='4' fill='%230a6780'/></svg>";

const tronWeb = new TronWeb({ fullHost: NODE, privateKey: KEY });

const provider = {
  tronWeb: false,
  on: () => {},
  removeListener: () => {},
  request: async ({ method }) => {
    if (method === "eth_requestAccounts") {
      provider.tronWeb = tronWeb;
      return [tronWeb.defaultAddress.base58];
    }
    if (method === "eth_chainId") return `0x${Number(CHAIN_ID).toString(16)}`;
    throw Object.assign(new Error(`no ${method}`), { code: 4200 });
  },
};

const info = {
  uuid: "7c2ab5b4-1f0f-4f0e-8d6b-6a3b0d4c9a27", rdns: "org.example.headwater-test-wallet",
  name: "Headwater test wallet (worthless tokens)", icon: ICON,
};

function tell() {
  dispatchEvent(new CustomEvent("TIP6963:announceProvider", { detail: { info, provider } }));
}

addEventListener("TIP6963:requestProvider", tell);
tell();
