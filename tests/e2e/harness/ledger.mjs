// What an account has on a ledger, as TronWeb tells.

import { TronWeb } from "tronweb";

/** How much of a TRC-20 token an account has. */
export async function tokensOf(ledger, token, account) {
  const { constant_result: [answer] } =
    await new TronWeb({ fullHost: ledger.url }).transactionBuilder.triggerConstantContract(
      token, "balanceOf(address)", {}, [{ type: "address", value: account }], account,
    );
  return BigInt(`0x${answer}`);
}

/** How much of a TRC-10 asset an account has. */
export async function assetsOf(ledger, asset, account) {
  const { assetV2 = [] } = await new TronWeb({ fullHost: ledger.url }).trx.getAccount(account);
  return BigInt(assetV2.find(({ key }) => key === asset)?.value ?? 0);
}
