// A ledger in a few lines: a token, a vault, and nothing else. For tests of the bridge only; the
// contract itself is tested elsewhere.

const WORD = 64;

/** Selectors of what it understands. */
const KNOWN = {
  "095ea7b3": "approve", "54469aea": "deposit", "5e5c06e2": "accounts", "70a08231": "balanceOf",
  "8965f647": "requestExit", a9059cbb: "transfer", dd62ed3e: "allowance", e9fad8ee: "exit",
  d8750edb: "claim", "215a4271": "claimMany",
};

const CLAIMED = "a9705fb658cd749328d5a659d7fb42589fe87fce6f680ed83d33dc4258345107";
const DEPOSITED = "adb1a06aea2cd2ff20eac971640a5eb7d687df3e3a897be2f334836494958a47";

/** Accounts by their 40 hex digits. */
export class TestLedger {
  balances = new Map();
  allowances = new Map();
  vault = new Map();
  /** Calls that changed something, by name. */
  done = [];
  /** What the next change is refused with. */
  refusal = null;

  constructor({ token, vault }) {
    this.token = token;
    this.vaultAt = vault;
  }

  /** Answers a call that changes nothing, in hex. */
  ask(to, data) {
    const [name, [first, second]] = parse(data);
    if (name === "balanceOf") return word(this.balances.get(first) ?? 0n);
    if (name === "allowance") return word(this.allowances.get(`${first}>${second}`) ?? 0n);
    if (name !== "accounts") throw new Error(`no question: ${name}`);
    const account = this.vault.get(first) ?? { balance: 0n, exiting: 0n, exitAt: 0n };
    return [account.balance, 0n, account.exiting, account.exitAt].map(word).join("");
  }

  /** Does a call; `reason` says why it did not, in hex as contracts say it. */
  run({ from, to, data, coins }) {
    if (this.refusal !== null) return { reason: errorData(this.refusal), logs: [] };
    const [name, words] = parse(data);
    this.done.push(name);
    if (name.startsWith("claim")) return { reason: null, logs: this.claim(to, name, data) };
    const amount = BigInt(`0x${words.at(-1) ?? "0"}`);
    const account = this.vault.get(from) ?? { balance: 0n, exiting: 0n, exitAt: 0n };
    if (name === "approve") this.allowances.set(`${from}>${words[0]}`, amount);
    if (name === "transfer") this.move(from, words[0], amount);
    if (name === "requestExit") Object.assign(account, { exiting: amount, exitAt: 1_800_172_800n });
    if (name === "exit") Object.assign(account, { balance: account.balance - account.exiting });
    if (name === "deposit") {
      const isCoin = this.token === null;
      const allowed = this.allowances.get(`${from}>${this.vaultAt}`) ?? 0n;
      if (isCoin ? coins !== amount : allowed < amount) {
        return { reason: errorData("not allowed"), logs: [] };
      }
      account.balance += amount;
    }
    this.vault.set(from, account);
    const topics = [DEPOSITED, word(BigInt(`0x${from}`))];
    const logs = name === "deposit" ? [{ address: to, topics, data: word(amount) }] : [];
    return { reason: null, logs };
  }

  /** Pays claims, whoever signed them. */
  claim(to, name, data) {
    const words = data.replace(/^0x/, "").slice(8).match(/.{64}/g);
    const number = (at) => Number(BigInt(`0x${words[at]}`));
    const starts = name === "claim" ? [0]
      : Array.from({ length: number(1) }, (_, index) => 2 + number(2 + index) / 32);
    return starts.map((start) => {
      const [owner, payee] = [words[start], words[start + 6]];
      const paid = BigInt(`0x${words[start + 7]}`);
      for (const [who, amount] of [[owner, -paid], [payee, paid]]) {
        const at = who.slice(24);
        const account = this.vault.get(at) ?? { balance: 0n, exiting: 0n, exitAt: 0n };
        this.vault.set(at, { ...account, balance: account.balance + amount });
      }
      const topics = [CLAIMED, word(0n), owner, payee];
      return { address: to, topics, data: word(paid) + word(paid) };
    });
  }

  /** Moves tokens. */
  move(from, to, amount) {
    this.balances.set(from, (this.balances.get(from) ?? 0n) - amount);
    this.balances.set(to, (this.balances.get(to) ?? 0n) + amount);
  }
}

/** How a contract says an error with a text. */
export function errorData(text) {
  const hex = Buffer.from(text).toString("hex");
  const padded = hex.padEnd(Math.ceil(hex.length / WORD) * WORD, "0");
  return `08c379a0${word(32n)}${word(BigInt(hex.length / 2))}${padded}`;
}

/** A number as 64 hex digits. */
export function word(value) {
  return value.toString(16).padStart(WORD, "0");
}

function parse(data) {
  const hex = data.replace(/^0x/, "");
  const words = (hex.slice(8).match(/.{64}/g) ?? []).map((each, index, all) =>
    index < all.length - 1 || each.startsWith("0".repeat(24)) ? each.slice(24) : each);
  return [KNOWN[hex.slice(0, 8)], words];
}
