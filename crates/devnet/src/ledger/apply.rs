//! Checks a transaction as a node does, and then does what it says.

use headwater_base::Address;
use headwater_tron::transaction::{
    BlockReference, Contract, CreateContract, Transaction, TransactionId, Transfer, TransferAsset,
    TriggerContract, UnixMillis, created_address,
};

use super::{Account, Ending, Ledger, Receipt, Refusal};
use crate::evm::{Message, Moment, Outcome, Status};
use crate::limit;

impl Ledger {
    /// Whether the transaction may come into a block of that date, whatever it says.
    pub(super) fn check(
        &self,
        now: UnixMillis,
        transaction: &Transaction,
    ) -> Result<TransactionId, Refusal> {
        let id = transaction.id().map_err(Refusal::Form)?;
        if self.receipts.contains_key(&id) {
            return Err(Refusal::Known);
        }
        let raw = &transaction.raw;
        let signers = transaction.signers().map_err(Refusal::Form)?;
        let [signer] = signers[..] else {
            return Err(Refusal::Signature { signatures: signers.len() });
        };
        if raw.contract.owner() != Some(signer) {
            return Err(match raw.contract.owner() {
                Some(_) => Refusal::Signature { signatures: 1 },
                None => Refusal::Invalid("contract type is not supported"),
            });
        }
        if !self.knows(raw.reference) {
            return Err(Refusal::Reference { found: raw.reference.number });
        }
        let (expiration, head) = (raw.expiration.0, now.0);
        if expiration <= head || expiration > head + limit::EXPIRATION_MILLIS_MAX {
            return Err(Refusal::Expiration { expiration, head });
        }
        let kept = self.receipts.len();
        if kept >= limit::TRANSACTIONS_MAX || self.blocks.len() >= limit::BLOCKS_MAX {
            return Err(Refusal::Full(kept));
        }
        Ok(id)
    }

    /// Whether a block of that reference is among the last whose numbers two bytes tell apart.
    fn knows(&self, reference: BlockReference) -> bool {
        let latest = self.head().number();
        let low = u64::from(u16::from_be_bytes(reference.number));
        let back = latest.wrapping_sub(low) % limit::REFERENCE_BLOCKS;
        let named = latest.checked_sub(back).and_then(|number| self.block(number));
        named.is_some_and(|block| block.id.reference() == reference)
    }

    /// Does what the transaction says. Where it is refused, nothing has changed.
    pub(super) fn apply(
        &mut self,
        now: UnixMillis,
        id: TransactionId,
        transaction: &Transaction,
    ) -> Result<Receipt, Refusal> {
        let before = (self.evm.clone(), self.accounts.clone(), self.contracts.clone());
        let result = self.run(now, id, transaction);
        if result.is_err() {
            (self.evm, self.accounts, self.contracts) = before;
        }
        result
    }

    fn run(
        &mut self,
        now: UnixMillis,
        id: TransactionId,
        transaction: &Transaction,
    ) -> Result<Receipt, Refusal> {
        let owner = transaction.raw.contract.owner().expect("checked");
        if self.account(owner).is_none() {
            return Err(Refusal::Invalid("account does not exist"));
        }
        let mut receipt = Receipt {
            transaction: transaction.clone(),
            block: self.head().number() + 1,
            millis: now,
            bytes: 0,
            bytes_fee: 0,
            ending: None,
        };
        match &transaction.raw.contract {
            Contract::Transfer(transfer) => self.transfer(transfer, &mut receipt)?,
            Contract::TransferAsset(transfer) => self.transfer_asset(transfer, &mut receipt)?,
            Contract::Create(create) => self.create(id, create, &mut receipt)?,
            Contract::Trigger(trigger) => self.trigger(trigger, &mut receipt)?,
            Contract::Other { .. } => {
                return Err(Refusal::Invalid("contract type is not supported"));
            }
        }
        Ok(receipt)
    }

    fn transfer(&mut self, transfer: &Transfer, receipt: &mut Receipt) -> Result<(), Refusal> {
        let (owner, to) = (transfer.owner, transfer.to);
        let amount = positive(transfer.amount.0)?;
        self.not_itself(owner, to)?;
        self.admit(to, owner, receipt)?;
        self.pay(owner, amount)?;
        self.evm.set_balance(to, self.evm.balance(to) + u128::from(amount));
        Ok(())
    }

    fn transfer_asset(
        &mut self,
        transfer: &TransferAsset,
        receipt: &mut Receipt,
    ) -> Result<(), Refusal> {
        let (owner, to) = (transfer.owner, transfer.to);
        let amount = positive(transfer.amount.0)?;
        self.not_itself(owner, to)?;
        let id: Option<u64> =
            core::str::from_utf8(&transfer.asset).ok().and_then(|text| text.parse().ok());
        let known = id.and_then(|id| self.assets.iter().find(|asset| asset.id == id));
        let id = known.ok_or(Refusal::Invalid("no asset of that id"))?.id;
        let has = self.account(owner).and_then(|account| account.assets.get(&id)).copied();
        let has = has.unwrap_or(0);
        let left = has.checked_sub(amount).ok_or(Refusal::Balance { has, needs: amount })?;
        self.admit(to, owner, receipt)?;
        self.account_mut(owner).assets.insert(id, left);
        *self.account_mut(to).assets.entry(id).or_default() += amount;
        Ok(())
    }

    fn create(
        &mut self,
        id: TransactionId,
        create: &CreateContract,
        receipt: &mut Receipt,
    ) -> Result<(), Refusal> {
        if create.origin != create.owner {
            return Err(Refusal::Invalid("owner and origin differ"));
        }
        no_tokens(create.call_token_value.0)?;
        let to = created_address(id, create.owner);
        self.charge_bytes(create.owner, receipt)?;
        let value = create.call_value.0;
        let limit = self.energy(create.owner, value, receipt)?;
        let message =
            Message { from: create.owner, to, value, data: create.bytecode.clone(), limit };
        let outcome = self.evm.create(moment(receipt), &message).map_err(Refusal::Machine)?;
        if outcome.status == Status::Success {
            let account = Account { created: receipt.millis, ..Account::default() };
            self.accounts.insert(to, account);
            self.contracts.insert(to, id);
        }
        self.conclude(create.owner, to, outcome, receipt);
        Ok(())
    }

    fn trigger(&mut self, trigger: &TriggerContract, receipt: &mut Receipt) -> Result<(), Refusal> {
        no_tokens(trigger.call_token_value.0)?;
        if self.evm.code(trigger.contract).is_empty() {
            return Err(Refusal::Invalid("No contract or not a valid smart contract"));
        }
        self.charge_bytes(trigger.owner, receipt)?;
        let value = trigger.call_value.0;
        let limit = self.energy(trigger.owner, value, receipt)?;
        let message = Message {
            from: trigger.owner,
            to: trigger.contract,
            value,
            data: trigger.data.clone(),
            limit,
        };
        let outcome = self.evm.call(moment(receipt), &message).map_err(Refusal::Machine)?;
        self.conclude(trigger.owner, trigger.contract, outcome, receipt);
        Ok(())
    }

    /// Takes the energy's price, and notes how it ended.
    fn conclude(&mut self, owner: Address, to: Address, outcome: Outcome, receipt: &mut Receipt) {
        let energy_fee = outcome.used * limit::ENERGY_SUN;
        // The energy's limit was made so that this is there.
        let left = self.balance(owner).saturating_sub(energy_fee);
        self.evm.set_balance(owner, left.into());
        receipt.ending = Some(Ending {
            status: outcome.status,
            output: outcome.output,
            energy: outcome.used,
            energy_fee,
            contract: to,
            logs: outcome.logs,
        });
    }

    /// The energy that a call may use: what its owner can pay and is willing to.
    fn energy(&self, owner: Address, value: u128, receipt: &Receipt) -> Result<u64, Refusal> {
        let willing = receipt.transaction.raw.fee_limit.0;
        let willing = u64::try_from(willing).unwrap_or(u64::MAX);
        if willing > limit::FEE_LIMIT_MAX {
            return Err(Refusal::Invalid("feeLimit must be at most 15000000000"));
        }
        let has = self.balance(owner);
        let needs = u64::try_from(value).unwrap_or(u64::MAX);
        let left = has.checked_sub(needs).ok_or(Refusal::Balance { has, needs })?;
        Ok(willing.min(left) / limit::ENERGY_SUN)
    }

    /// Lets the transaction reach an account, which may have to come to be for it.
    fn admit(&mut self, to: Address, owner: Address, receipt: &mut Receipt) -> Result<(), Refusal> {
        if self.account(to).is_some() {
            return self.charge_bytes(owner, receipt);
        }
        let account = Account { created: receipt.millis, ..Account::default() };
        self.accounts.insert(to, account);
        receipt.bytes_fee = limit::ACTIVATION_SUN;
        self.pay(owner, limit::ACTIVATION_SUN)
    }

    /// Takes the transaction's bytes from those that are free, or their price.
    fn charge_bytes(&mut self, owner: Address, receipt: &mut Receipt) -> Result<(), Refusal> {
        let encoded = receipt.transaction.encode().map_err(Refusal::Form)?;
        let len = u64::try_from(encoded.len()).unwrap_or(u64::MAX);
        let bytes = len + limit::RESULT_BYTES;
        if self.account_mut(owner).bandwidth.take(receipt.millis, bytes) {
            receipt.bytes = bytes;
            return Ok(());
        }
        let needs = bytes * limit::BYTE_SUN;
        receipt.bytes_fee = needs;
        self.pay(owner, needs).map_err(|_| Refusal::Bandwidth { needs })
    }

    fn pay(&mut self, owner: Address, needs: u64) -> Result<(), Refusal> {
        let has = self.balance(owner);
        let left = has.checked_sub(needs).ok_or(Refusal::Balance { has, needs })?;
        self.evm.set_balance(owner, left.into());
        Ok(())
    }

    fn not_itself(&self, owner: Address, to: Address) -> Result<(), Refusal> {
        if owner == to {
            return Err(Refusal::Invalid("cannot transfer to yourself"));
        }
        if !self.evm.code(to).is_empty() {
            return Err(Refusal::Invalid("cannot transfer to a smart contract"));
        }
        Ok(())
    }
}

fn moment(receipt: &Receipt) -> Moment {
    Moment { number: receipt.block, seconds: receipt.millis.0 / 1_000 }
}

fn positive(amount: u128) -> Result<u64, Refusal> {
    match u64::try_from(amount) {
        Ok(amount) if amount > 0 && i64::try_from(amount).is_ok() => Ok(amount),
        Ok(_) | Err(_) => Err(Refusal::Invalid("amount must be greater than 0 and an int64")),
    }
}

fn no_tokens(amount: u128) -> Result<(), Refusal> {
    if amount == 0 { Ok(()) } else { Err(Refusal::Invalid("calls carry no TRC-10 tokens here")) }
}
