//! The world's vault and its signatures. It keeps to the rules of the real contract: no more than
//! a session's cap, no more than the owner's deposit, nothing once vouchers are too old.

use std::collections::BTreeMap;

use headwater_base::{Address, Amount, Signature, UnixTime, sha256};
use headwater_pay::{AccountView, Promise, Signed, limit};
use headwater_wire::extended::{Grant, Rail};

use crate::host::HostId;

/// The vault of the world.
pub(crate) const RAIL: Rail = Rail { chain: 1, vault: Address([1; 20]), token: Address([2; 20]) };

/// The date at which every world begins.
pub(crate) const DATE: UnixTime = UnixTime(1_800_000_000);

/// What a payer has in the vault unless somebody says otherwise, and may promise in a session.
pub(crate) const DEPOSIT: Amount = Amount(1 << 80);

/// What the vault holds and what it paid: to whom, out of which session.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    /// Deposits that are not as everybody's.
    deposits: BTreeMap<Address, u128>,
    claimed: BTreeMap<(Grant, Address), u128>,
}

impl Vault {
    /// An owner has this much, and no more.
    pub(crate) fn fund(&mut self, owner: Address, deposit: Amount) {
        self.deposits.insert(owner, deposit.0);
    }

    pub(crate) fn view(&self, grant: Grant, payee: Address) -> AccountView {
        AccountView {
            balance: Amount(self.deposit(grant.owner) - self.taken_from(grant.owner).0),
            spent: self.spent(grant),
            claimed: self.claimed(grant, payee),
            ..AccountView::default()
        }
    }

    /// Pays what a signed voucher is good for on that date; answers all it paid of the session to
    /// the payee, or nothing when it is too late.
    pub(crate) fn claim(&mut self, date: UnixTime, voucher: &Promise) -> Option<Amount> {
        let Promise { grant, payee, .. } = *voucher;
        if date.0 > grant.expiry.0 + limit::CLAIM_WINDOW_SECONDS {
            return None;
        }
        let free = self.view(grant, payee).balance.0;
        let left = grant.cap.0.saturating_sub(self.spent(grant).0);
        let claimed = self.claimed.entry((grant, payee)).or_default();
        *claimed += voucher.amount.0.saturating_sub(*claimed).min(free).min(left);
        Some(Amount(*claimed))
    }

    /// What it paid of a session to a payee.
    pub(crate) fn claimed(&self, grant: Grant, payee: Address) -> Amount {
        Amount(self.claimed.get(&(grant, payee)).copied().unwrap_or_default())
    }

    /// All it paid to a host.
    pub(crate) fn paid_to(&self, host: HostId) -> Amount {
        self.sum(|_, payee| payee == account(host.0, PAYEE))
    }

    /// All it paid out of an owner's deposit.
    pub(crate) fn taken_from(&self, owner: Address) -> Amount {
        self.sum(|grant, _| grant.owner == owner)
    }

    fn spent(&self, grant: Grant) -> Amount {
        self.sum(|of, _| of == grant)
    }

    fn deposit(&self, owner: Address) -> u128 {
        self.deposits.get(&owner).copied().unwrap_or(DEPOSIT.0)
    }

    fn sum(&self, counts: impl Fn(Grant, Address) -> bool) -> Amount {
        let counted = self.claimed.iter().filter(|((grant, payee), _)| counts(*grant, *payee));
        Amount(counted.map(|(_, paid)| paid).sum())
    }
}

pub(crate) const OWNER: u8 = 1;
pub(crate) const KEY: u8 = 2;
pub(crate) const PAYEE: u8 = 3;
/// A second address of the owner, to which it pays itself.
pub(crate) const SECOND: u8 = 4;

/// One of a host's accounts.
pub(crate) fn account(host: usize, kind: u8) -> Address {
    let mut address = Address([kind; 20]);
    address.0[..8].copy_from_slice(&(host as u64).to_le_bytes());
    address
}

/// What a host's owner granted to its session key.
pub(crate) fn grant(host: usize) -> Grant {
    Grant {
        owner: account(host, OWNER),
        key: account(host, KEY),
        cap: DEPOSIT,
        expiry: UnixTime(DATE.0 + 12 * 3600),
        salt: [7; 32],
    }
}

/// Where the digest of a signature ends; what follows stands for `s` and `v`.
const DIGEST_END: usize = 52;

/// The signature of the world's scheme: the signer, and a digest of it and of what is signed.
pub(crate) fn sign(signer: Address, what: &Signed) -> Signature {
    let mut signature = Signature([0; 65]);
    signature.0[..20].copy_from_slice(&signer.0);
    let digest = sha256(format!("{signer:?} {what:?}").as_bytes());
    signature.0[20..DIGEST_END].copy_from_slice(&digest);
    signature
}

/// Who signed: nobody where `s` or `v` is not as it must be, and somebody unknown where the
/// signature is of something else, as with the real scheme.
pub(crate) fn signer(what: &Signed, signature: Signature) -> Option<Address> {
    if signature.0[DIGEST_END..].iter().any(|byte| *byte != 0) {
        return None;
    }
    let claimed = Address(*signature.0.first_chunk()?);
    if sign(claimed, what) == signature {
        return Some(claimed);
    }
    let unknown = sha256(format!("{signature:?} {what:?}").as_bytes());
    unknown.first_chunk().map(|bytes| Address(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voucher(payee: u8, amount: u128) -> Promise {
        let grant = Grant { cap: Amount(1000), ..grant(1) };
        Promise { rail: RAIL, grant, payee: account(9, payee), amount: Amount(amount) }
    }

    #[test]
    fn a_compromised_page_spends_the_cap_at_most_and_nothing_when_it_is_too_late() {
        let mut vault = Vault::default();
        assert_eq!(vault.claim(DATE, &voucher(1, 600)), Some(Amount(600)));
        assert_eq!(vault.claim(DATE, &voucher(2, u128::MAX)), Some(Amount(400)));
        assert_eq!(vault.claim(DATE, &voucher(3, u128::MAX)), Some(Amount(0)));
        assert_eq!(vault.taken_from(account(1, OWNER)), Amount(1000));
        let last = UnixTime(grant(1).expiry.0 + limit::CLAIM_WINDOW_SECONDS);
        let late = UnixTime(last.0 + 1);
        let mut vault = Vault::default();
        assert_eq!(vault.claim(late, &voucher(1, 600)), None);
        assert_eq!(vault.claim(last, &voucher(1, 600)), Some(Amount(600)));
    }

    #[test]
    fn a_claim_is_paid_once_and_out_of_the_deposit_alone() {
        let mut vault = Vault::default();
        vault.fund(account(1, OWNER), Amount(500));
        assert_eq!(vault.claim(DATE, &voucher(1, 300)), Some(Amount(300)));
        assert_eq!(vault.claim(DATE, &voucher(1, 300)), Some(Amount(300)));
        assert_eq!(vault.claim(DATE, &voucher(1, 100)), Some(Amount(300)));
        assert_eq!(vault.claim(DATE, &voucher(2, 300)), Some(Amount(200)));
        assert_eq!(vault.view(voucher(1, 0).grant, account(9, 1)).balance, Amount(0));
    }

    #[test]
    fn a_changed_signature_is_nobodys_or_a_strangers() {
        let what = Signed::Voucher(voucher(1, 5));
        let key = account(1, KEY);
        let good = sign(key, &what);
        assert_eq!(signer(&what, good), Some(key));
        for at in 0..65 {
            let mut changed = good;
            changed.0[at] ^= 1;
            assert_ne!(signer(&what, changed), Some(key), "byte {at}");
            assert_eq!(signer(&what, changed).is_none(), at >= DIGEST_END, "byte {at}");
        }
        assert_ne!(signer(&Signed::Voucher(voucher(1, 6)), good), Some(key));
    }
}
