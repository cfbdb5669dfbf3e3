/**
 * Offers paid priority where the page's own server sells, which its `pay.json` tells. The panel and
 * all it needs is loaded once the user asks for it.
 */
import type { Headwater } from "headwater";
import type { Chain } from "headwater-wallet";
import { byId, make, makeButton } from "./dom.js";
import { notice } from "./notice.js";
import { plain } from "./trouble.js";

/** Shows a button that opens the panel, if the server sells. */
export async function offerPay(client: Headwater): Promise<void> {
  const chain = await soldOn();
  if (chain === null) return;
  const place = byId("pay", HTMLElement);
  const open = makeButton("Paid priority", { id: "pay-open" }, () => {
    open.disabled = true;
    mount(client, chain, place).then(() => open.remove(), (error) => {
      open.disabled = false;
      notice(plain(error), true);
    });
  });
  place.append(open);
  place.hidden = false;
}

async function mount(client: Headwater, chain: Chain, place: HTMLElement): Promise<void> {
  const [{ mountPay }, payment] =
    await Promise.all([import("headwater-pay-panel"), client.payment()]);
  if (document.querySelector("link[href$='pay.css']") === null) {
    document.head.append(make("link", { rel: "stylesheet", href: "./pay.css" }));
  }
  mountPay(place, payment, { chains: [chain] });
  place.querySelector("input")?.focus();
}

/** Where the server is paid; `null` when it sells nothing or says it wrongly. */
async function soldOn(): Promise<Chain | null> {
  try {
    const answer = await fetch("./pay.json");
    return answer.ok ? read(await answer.json()) : null;
  } catch {
    return null;
  }
}

function read(value: unknown): Chain | null {
  const { id, name, vault, token, asset, worthless } = (value ?? {}) as Record<string, unknown>;
  const isChain = typeof id === "number" && Number.isSafeInteger(id) && typeof name === "string";
  if (!isChain || !isAddress(vault) || !isAddress(token)) return null;
  return {
    id, vault, kind: "tron", rpc: "", btt: { is: "token", address: token },
    name: worthless === true ? `${name} (worthless tokens)` : name,
    asset: typeof asset === "string" ? asset : "",
  };
}

function isAddress(value: unknown): value is `0x${string}` {
  return typeof value === "string" && /^0x[0-9a-f]{40}$/.test(value);
}
