/**
 * Says amounts, terms and troubles of payments in plain words. Amounts are BigInt to the end.
 */
import type { Fee } from "./payport.js";
import { plain } from "./trouble.js";

const DECIMALS = { BTT: 18, TRX: 6 };
/** Digits after the point that are shown of small amounts. */
const SHOWN = 4;
/** A claim is worth it from this many times its fee. */
const WORTH_TIMES = 20n;

const LOCALE = navigator.languages.find((each) => /^en\b/.test(each)) ?? "en";
const wholes = new Intl.NumberFormat(LOCALE);
const times = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });

const PLAIN: Record<string, string> = {
  "bad-address": "That is no address that could be paid. Check it, letter by letter",
  "bad-amount": "That is no amount of BTT. Write digits, with a point before the parts of one",
  "cap-too-low": "What is left of the allowance is less than the price. Stop " +
    "paying, then buy it with one for this alone",
  "bad-node": "The chain cannot be asked there",
  "claim-under-way": "A claim is under way already. Wait until it is over",
  "claim-unsettled": "The claim was sent, but the chain has not settled it. Claim again later: " +
    "nothing is paid twice",
  "keys-unkept": "This browser keeps nothing for this site, perhaps because the window is " +
    "private, and what you buy would be lost with it. Buy it in an ordinary window",
  "earnings-unreadable": "What was earned here earlier cannot be read, so nothing is sold",
  "no-funds": "The vault holds too little for that. Put in what is lacking, then buy it again",
  "no-publisher": "Nobody who sells it answered. Try again later; what you may have paid buys it " +
    "then, until the allowance ends",
  "no-vault": "Nothing is sold: the chain's node does not answer, or there is no vault there",
  "nothing-to-claim": "There is nothing to claim now",
  "prompt-refused": "Nothing was signed: what was asked for is not what you agreed to. Press the " +
    "button again to agree anew",
  "sale-denied": "The publisher does not sell it on these terms. Ask for a new link",
  "second-tab": "Another tab of this site has the earnings. Sell and claim there, or close it",
  "transaction-reverted": "The chain refused the transaction; only its fee is gone",
  "transaction-unconfirmed": "The chain has not taken the transaction yet. It may still: look " +
    "into your wallet before you try again",
  "wrong-key": "What the publisher sent does not open it. Nothing more is asked of it; complain " +
    "to the publisher",
  "wallet-bad-answer": "The wallet's answer was not what was asked for, so it was not used",
  "wallet-busy": "The wallet asks you something already. Answer it there, then try again",
  "wallet-disconnected": "The wallet is no longer connected. Connect it again",
  "wallet-failed": "The wallet could not do it",
  "wallet-locked": "The wallet is locked. Unlock it, then connect it again",
  "wallet-missing": "No wallet was found. Install one, then look again",
  "wallet-rejected": "You said no in the wallet; nothing happened",
  "wallet-unsupported": "This wallet or chain cannot do that",
  "wallet-wrong-account": "The wallet is on another account. Connect it again to use that one",
  "wallet-wrong-chain": "The wallet is on another chain. Change it there, then connect it again",
};

/** Codes whose own message says more than the plain words can. */
const DETAILED = [
  "bad-amount", "claim-unsettled", "no-vault", "nothing-to-claim", "transaction-reverted",
  "wallet-failed", "wallet-unsupported",
];

/** Says a trouble. */
export function plainPay(trouble: unknown): string {
  const { code, message } = (trouble ?? {}) as { code?: string; message?: string };
  const known = code === undefined ? undefined : PLAIN[code];
  if (known === undefined || code === undefined) return plain(trouble);
  const more = DETAILED.includes(code) && message ? ` It says: ${message}.` : "";
  return `${known}.${more} (${code})`;
}

/** Writes an amount: `12.3456 BTT`, cut and never rounded up. */
export function money(amount: bigint, unit: Fee["unit"] = "BTT"): string {
  const one = 10n ** BigInt(DECIMALS[unit]);
  const part = (amount % one).toString().padStart(DECIMALS[unit], "0");
  const whole = amount / one;
  const shown = part.slice(0, SHOWN).replace(/0+$/, "");
  if (whole === 0n && shown === "" && amount > 0n) return `under 0.0001 ${unit}`;
  return `${wholes.format(whole)}${shown === "" ? "" : `.${shown}`} ${unit}`;
}

/** Writes a date and time. */
export function moment(seconds: number): string {
  return times.format(new Date(seconds * 1000));
}

/** Shortens an address for a line of text; its ends are what people compare. */
export function shortAddress(text: string): string {
  return `${text.slice(0, 6)}…${text.slice(-6)}`;
}

/** Says whether a claim is worth its fee. */
export function worth(unclaimed: bigint, fee: Fee | null): string {
  if (unclaimed === 0n) return "There is nothing to claim.";
  if (fee === null) return "What a claim costs now is not known.";
  const cost = money(fee.amount, fee.unit);
  if (fee.unit !== "BTT") {
    return `A claim costs about ${cost}. Compare what both are worth to you before you claim.`;
  }
  if (unclaimed <= fee.amount) {
    return `Not worth claiming: the fee of about ${cost} is more than what you would get.`;
  }
  const share = Number((fee.amount * 1000n) / unclaimed) / 10;
  return unclaimed >= fee.amount * WORTH_TIMES
    ? `Worth claiming: the fee of about ${cost} is ${share} % of it.`
    : `Better wait: the fee of about ${cost} would take ${share} % of it.`;
}
