/**
 * Offers paid priority where the page's own server sells, which its `pay.json` tells. The panel and
 * all it needs is loaded once the user asks for it.
 */
import type { Headwater } from "headwater";
import type { Chain } from "headwater-wallet";
import { byId, make, makeButton } from "./dom.js";
import { notice } from "./notice.js";
import { plain } from "./trouble.js";

/** Where the server is paid. */
export interface Sold {
  readonly chain: Chain;
  /** A node of it that pages may ask; empty where none is told. */
  readonly node: string;
  /** It brings a wallet to try paying with, whose tokens are worthless. */
  readonly hasTestWallet: boolean;
}

/** Shows a button that opens the panel, if the server sells. */
export async function offerPay(client: Headwater): Promise<void> {
  const sold = await soldOn();
  if (sold === null) return;
  const place = byId("pay", HTMLElement);
  const open = makeButton("Paid priority", { id: "pay-open" }, () => {
    open.disabled = true;
    mount(client, sold, place).then(() => open.remove(), (error) => {
      open.disabled = false;
      notice(plain(error), true);
    });
  });
  place.append(open);
  place.hidden = false;
}

let testWallet: Promise<void> | null = null;

/** The server's wallet to try paying with announces itself once its script has run. */
export function loadTestWallet(): Promise<void> {
  return (testWallet ??= new Promise((done, fail) => {
    const script = make("script", { src: "./test-wallet.js" });
    script.addEventListener("load", () => done());
    script.addEventListener("error", () => {
      testWallet = null;
      fail(new Error("The test wallet does not load."));
    });
    document.head.append(script);
  }));
}

/** Loads the looks of whatever is about money. Without them it works all the same. */
export function dressPay(): Promise<void> {
  if (document.querySelector("link[href$='pay.css']") !== null) return Promise.resolve();
  return new Promise((done) => {
    const link = make("link", { rel: "stylesheet", href: "./pay.css" });
    link.addEventListener("load", () => done());
    link.addEventListener("error", () => done());
    document.head.append(link);
  });
}

async function mount(client: Headwater, sold: Sold, place: HTMLElement): Promise<void> {
  const { chain, node } = sold;
  if (sold.hasTestWallet) await loadTestWallet();
  const [{ mountPay }, payment] =
    await Promise.all([import("headwater-pay-panel"), client.payment(), dressPay()]);
  const limitUpload = (upload: number | null): Promise<void> => client.setLimits({ upload });
  mountPay(place, payment, { chains: [chain], node, limitUpload });
  place.querySelector("input")?.focus();
}

/** Where the server is paid; `null` when it sells nothing or says it wrongly. */
export async function soldOn(): Promise<Sold | null> {
  try {
    const answer = await fetch("./pay.json");
    return answer.ok ? read(await answer.json()) : null;
  } catch {
    return null;
  }
}

function read(value: unknown): Sold | null {
  const said = (value ?? {}) as Record<string, unknown>;
  const { id, kind, name, vault, token, asset, worthless } = said;
  const isChain = typeof id === "number" && Number.isSafeInteger(id) && typeof name === "string";
  if (!isChain || !isAddress(vault) || !isAddress(token)) return null;
  if (kind !== "tron" && kind !== "evm") return null;
  const chain: Chain = {
    id, vault, kind, rpc: "",
    btt: kind === "evm" ? { is: "coin" } : { is: "token", address: token },
    name: worthless === true ? `${name} (worthless tokens)` : name,
    asset: typeof asset === "string" ? asset : "",
  };
  const node = typeof said["node"] === "string" ? said["node"] : "";
  return { chain, node, hasTestWallet: worthless === true && said["test_wallet"] === true };
}

function isAddress(value: unknown): value is `0x${string}` {
  return typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value);
}
