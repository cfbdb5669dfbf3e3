/**
 * The chains that BTT lives on, and where the vault is on each. A chain without a vault can be
 * looked at but not granted on.
 */

import { readAddress, type Address, type ChainKind } from "./address.js";
import { fault } from "./fault.js";

/** What BTT is on a chain: its coin, a token, or not known. */
export type Btt = { is: "coin" } | { is: "token"; address: Address } | { is: "unknown" };

/** One chain. */
export interface Chain {
  /** As in typed data: of TRON the last four bytes of its first block's id. */
  readonly id: number;
  readonly name: string;
  readonly kind: ChainKind;
  readonly btt: Btt;
  /** Id of the older TRC-10 asset; empty where there is none. */
  readonly asset: string;
  /** `null` until a vault is configured. */
  readonly vault: Address | null;
  /** Where wallets that do not know the chain may reach it; empty where they all do. */
  readonly rpc: string;
}

/** BTT as TRC-20 on TRON: `TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4`. */
const BTT_ON_TRON: Address = "0x032017411f4663b317fe77c257d28d5cd1b26e3d";

const TRON_CHAIN = { kind: "tron", vault: null, rpc: "" } as const;
const BTTC_CHAIN = { kind: "evm", vault: null, asset: "", btt: { is: "coin" } } as const;

/** The public chains. No vault is built in: whoever runs a page configures the one it trusts. */
export const CHAINS = {
  tron: {
    ...TRON_CHAIN, id: 0x2b6653dc, name: "TRON", asset: "1002000",
    btt: { is: "token", address: BTT_ON_TRON },
  },
  nile: { ...TRON_CHAIN, id: 0xcd8690dc, name: "TRON Nile", asset: "", btt: { is: "unknown" } },
  bttc: { ...BTTC_CHAIN, id: 199, name: "BitTorrent Chain", rpc: "https://rpc.bt.io" },
  donau: { ...BTTC_CHAIN, id: 1029, name: "BTTC Donau", rpc: "https://pre-rpc.bt.io" },
} as const satisfies Record<string, Chain>;

/** A chain with this vault, and with this token where it is not the known one. */
export function withVault(chain: Chain, vault: string, token: string | null = null): Chain {
  const at = mustRead(vault, "the vault");
  const btt: Btt = token === null ? chain.btt
    : { is: "token", address: mustRead(token, "the token") };
  return Object.freeze({ ...chain, vault: at, btt });
}

/** A local test ledger. Its tokens are worthless, and its name says so. */
export function testLedger(
  chain: Pick<Chain, "id" | "kind"> & { vault: string; token: string | null; rpc?: string },
): Chain {
  const { id, kind, vault, token, rpc = "" } = chain;
  if (!Number.isSafeInteger(id) || id < 1 || id > 0xffff_ffff) {
    throw fault("wallet-wrong-chain", `chain ${id}, at least 1 and at most ${0xffff_ffff}`);
  }
  const plain: Chain = {
    id, kind, rpc, name: "Test ledger (worthless tokens)", asset: "", vault: null,
    // The coin of a TRON chain is TRX, whatever ledger it is.
    btt: { is: kind === "evm" ? "coin" : "unknown" },
  };
  return withVault(plain, vault, token);
}

/** The chain's vault. */
export function vaultOf(chain: Chain): Address {
  if (chain.vault === null) throw fault("wallet-unsupported", `no vault is known on ${chain.name}`);
  return chain.vault;
}

/** The chain's id as wallets take it. */
export function chainHex(chain: Chain): string {
  return `0x${chain.id.toString(16)}`;
}

/** Reads a chain id that a wallet said. */
export function readChainId(value: unknown): number | null {
  const isHex = typeof value === "string" && /^0x[0-9a-fA-F]{1,8}$/.test(value);
  const id = isHex ? Number.parseInt(value.slice(2), 16) : value;
  return typeof id === "number" && Number.isSafeInteger(id) && id > 0 ? id : null;
}

function mustRead(text: string, what: string): Address {
  const address = readAddress(text);
  if (address === null) throw fault("bad-address", `${what} is no address`);
  return address;
}
