// An EIP-1193 wallet for tests, with one of TronWeb's keys. Notes every prompt it would show.

const PROMPTS = [
  "eth_requestAccounts", "eth_sendTransaction", "eth_signTypedData_v4", "personal_sign", "eth_sign",
  "wallet_switchEthereumChain", "wallet_addEthereumChain",
];

/** A provider. `sign` makes a signature from domain, types and message. */
export class MockEvm {
  prompts = [];
  refusal = null;
  gate = null;
  knowsChain = true;
  isLocked = false;
  balance = 10n ** 21n;
  spoil = {};

  constructor({ accounts, chainId, ledger, sign }) {
    this.accounts = accounts;
    this.chainId = chainId;
    this.ledger = ledger;
    this.sign = sign;
    this.listeners = new Map();
    this.receipts = new Map();
  }

  async request({ method, params = [] }) {
    if (PROMPTS.includes(method)) {
      this.prompts.push(method);
      await this.gate;
      const { refusal } = this;
      this.refusal = null;
      if (refusal !== null) throw refusal;
    }
    const answer = await this.#answer(method, params);
    return this.spoil[method] ? this.spoil[method](answer) : answer;
  }

  on(event, listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
  }

  removeListener(event, listener) {
    const left = (this.listeners.get(event) ?? []).filter((each) => each !== listener);
    this.listeners.set(event, left);
  }

  emit(event, said) {
    for (const listener of this.listeners.get(event) ?? []) listener(said);
  }

  async #answer(method, params) {
    switch (method) {
      case "eth_requestAccounts":
      case "eth_accounts":
        return this.isLocked ? [] : [this.accounts[0]];
      case "eth_chainId":
        return `0x${this.chainId.toString(16)}`;
      case "wallet_switchEthereumChain":
        if (!this.knowsChain) throw Object.assign(new Error("unknown chain"), { code: 4902 });
        this.chainId = Number(params[0].chainId);
        return null;
      case "wallet_addEthereumChain":
        this.knowsChain = true;
        this.chainId = Number(params[0].chainId);
        return null;
      case "eth_signTypedData_v4": {
        const { domain, types: { EIP712Domain, ...types }, message } = JSON.parse(params[1]);
        this.domainType = EIP712Domain;
        return this.sign(domain, types, message);
      }
      case "eth_getBalance":
        return `0x${this.balance.toString(16)}`;
      case "eth_sendTransaction":
        return this.#send(params[0]);
      case "eth_getTransactionReceipt":
        return this.receipts.get(params[0]) ?? null;
      case "eth_call":
        return this.#call(params[0]);
      default:
        throw Object.assign(new Error(`no ${method}`), { code: 4200 });
    }
  }

  #send({ from, to, data, value }) {
    const id = `0x${String(this.receipts.size + 1).padStart(64, "0")}`;
    const coins = BigInt(value);
    if (data === undefined) {
      this.ledger.done.push(`coins ${coins}`);
      this.receipts.set(id, { status: "0x1", logs: [] });
      return id;
    }
    const { reason, logs } = this.ledger.run({ from: from.slice(2), to: to.slice(2), data, coins });
    const told = logs.map((log) => ({
      address: `0x${log.address}`, topics: log.topics.map((each) => `0x${each}`),
      data: `0x${log.data}`,
    }));
    this.receipts.set(id, { status: reason === null ? "0x1" : "0x0", logs: told });
    this.reason = reason;
    return id;
  }

  #call({ to, data }) {
    if (this.reason) {
      throw Object.assign(new Error("execution reverted"), { code: 3, data: `0x${this.reason}` });
    }
    return `0x${this.ledger.ask(to.slice(2), data)}`;
  }
}
