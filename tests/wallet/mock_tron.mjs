// A TRON wallet for tests: a TIP-1193 provider around a real TronWeb that has keys of its own. It
// runs in node and in pages, answers as it is told to, and notes every prompt it would show.

const HEADER = {
  ref_block_bytes: "0001", ref_block_hash: "0102030405060708", expiration: 1_800_000_060_000,
  timestamp: 1_800_000_000_000,
};

/** A provider. `prompts` holds the name of every call that a user would see. */
export class MockTron {
  isTronLink = true;
  tronWeb = false;
  prompts = [];
  /** What the next prompt throws. */
  refusal = null;
  /** When set, prompts wait for it. */
  gate = null;
  /** What a node's answers are changed by before they go out. */
  spoil = {};
  chainSwitches = true;
  /** When set, what the older TronLink answers. */
  answer = null;
  /** Whether it knows `eth_chainId`. */
  namesChain = true;

  constructor({ TronWeb, keys, chainId, ledger }) {
    this.real = new TronWeb({ fullHost: "http://127.0.0.1:9", privateKey: keys[0] });
    this.keys = keys;
    this.chainId = chainId;
    this.ledger = ledger;
    this.listeners = new Map();
    this.receipts = new Map();
    this.at = 0;
    this.injected = this.#inject();
  }

  /** The account the wallet is on. */
  get account() {
    return this.real.address.fromPrivateKey(this.keys[this.at]);
  }

  async request({ method, params }) {
    switch (method) {
      case "eth_requestAccounts":
        await this.#prompt(method);
        if (this.isLocked) return [];
        this.unlock();
        return [this.account];
      case "tron_requestAccounts":
        await this.#prompt(method);
        if (this.answer) return this.answer();
        if (this.isLocked) return "";
        this.unlock();
        return { code: 200, message: "ok" };
      case "eth_chainId":
        if (this.namesChain) return `0x${this.chainId.toString(16)}`;
        throw Object.assign(new Error("no such method"), { code: 4200 });
      case "wallet_switchEthereumChain":
        await this.#prompt(method);
        if (this.chainSwitches) this.changeChain(Number(params[0].chainId));
        return null;
      default:
        throw Object.assign(new Error(`no ${method}`), { code: 4200 });
    }
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

  lock() {
    this.isLocked = true;
    this.injected.defaultAddress = { base58: false, hex: false };
    this.emit("accountsChanged", []);
  }

  unlock() {
    this.isLocked = false;
    this.tronWeb = this.injected;
    const base58 = this.account;
    this.injected.defaultAddress = { base58, hex: this.real.address.toHex(base58) };
  }

  /** Another account; `isQuiet` as a wallet that tells nobody. */
  switchAccount(at, isQuiet = false) {
    this.at = at;
    this.real.setPrivateKey(this.keys[at]);
    this.unlock();
    if (!isQuiet) this.emit("accountsChanged", [this.account]);
  }

  changeChain(chainId, isQuiet = false) {
    this.chainId = chainId;
    if (!isQuiet) this.emit("chainChanged", { chainId: `0x${chainId.toString(16)}` });
  }

  async #prompt(name) {
    this.prompts.push(name);
    await this.gate;
    const { refusal } = this;
    this.refusal = null;
    if (refusal !== null) throw refusal;
  }

  #inject() {
    const { real } = this;
    const builder = real.transactionBuilder;
    const local = (options) => ({ ...options, txLocal: true, blockHeader: HEADER });
    const shown = (name, act) => async (...given) => {
      await this.#prompt(name);
      const answer = await act(...given);
      return this.spoil[name]?.(answer) ?? answer;
    };
    const built = (name, act) => async (...given) => {
      const answer = await act(...given);
      return this.spoil[name]?.(answer) ?? answer;
    };
    return {
      defaultAddress: { base58: false, hex: false },
      trx: {
        _signTypedData: shown("_signTypedData", (...given) => real.trx._signTypedData(...given)),
        sign: shown("sign", (...given) => real.trx.sign(...given)),
        signMessageV2: shown("signMessageV2", (...given) => real.trx.signMessageV2(...given)),
        multiSign: shown("multiSign", (...given) => real.trx.multiSign(...given)),
        sendRawTransaction: async (signed) => this.#broadcast(signed),
        getUnconfirmedTransactionInfo: async (id) => this.receipts.get(id) ?? {},
        getBlockByNumber: async () => ({
          blockID: this.chainId.toString(16).padStart(64, "0"),
        }),
      },
      transactionBuilder: {
        triggerSmartContract: built("triggerSmartContract", (to, name, options, ...rest) =>
          builder.triggerSmartContract(to, name, local(options), ...rest)),
        sendToken: built("sendToken", (to, amount, id, from) =>
          builder.sendToken(to, amount, id, from, { blockHeader: HEADER })),
        triggerConstantContract: async (to, name, options, values, from) => {
          const { transaction } = await builder
            .triggerSmartContract(to, name, local(options), values, from);
          const { data } = transaction.raw_data.contract[0].parameter.value;
          const answer = this.ledger.ask(real.address.toHex(to).slice(2), data);
          return { result: { result: true }, constant_result: [answer] };
        },
      },
    };
  }

  #broadcast(signed) {
    const [{ type, parameter: { value } }] = signed.raw_data.contract;
    if (this.spoil.broadcast) return this.spoil.broadcast(signed);
    const from = value.owner_address.slice(2);
    if (type === "TransferAssetContract") {
      this.receipts.set(signed.txID, { id: signed.txID, receipt: { net_usage: 283 } });
      this.ledger.done.push(`asset ${value.amount}`);
      return { result: true, txid: signed.txID };
    }
    const to = value.contract_address.slice(2);
    const { reason, logs } = this.ledger.run({ from, to, data: value.data, coins: 0n });
    this.receipts.set(signed.txID, {
      id: signed.txID, log: logs, contractResult: [reason ?? ""],
      receipt: { result: reason === null ? "SUCCESS" : "REVERT" },
      ...(reason === null ? {} : { result: "FAILED" }),
    });
    return { result: true, txid: signed.txID };
  }
}

/** Announces a provider as TIP-6963 (`TIP6963`) or EIP-6963 (`eip6963`) has it. */
export function announce(place, standard, provider, info = {}) {
  const detail = {
    info: {
      uuid: "1", name: "Test wallet", icon: "data:image/png;base64,", rdns: "org.example.test",
      ...info,
    },
    provider,
  };
  const tell = () =>
    place.dispatchEvent(new CustomEvent(`${standard}:announceProvider`, { detail }));
  place.addEventListener(`${standard}:requestProvider`, tell);
  tell();
}
