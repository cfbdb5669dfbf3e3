//! Money in the world: one vault, and signatures of a scheme that anybody could forge. Who holds
//! real keys has nothing to do here: what is shown is what payment does, not what proves it.

use std::collections::BTreeMap;

use headwater_base::{Address, Amount, Signature, UnixTime, sha256};
use headwater_client::PayStep;
use headwater_pay::{
    AccountView, Action, Answer, Buying, Event, Input, JobFailure, Promise, RecordKey, Selling,
    Signed,
};
use headwater_wire::extended::{Grant, Rail};

use crate::host::HostId;
use crate::world::World;

/// The vault of the world.
const RAIL: Rail = Rail { chain: 1, vault: Address([1; 20]), token: Address([2; 20]) };

/// The date at which every world begins.
const DATE: UnixTime = UnixTime(1_800_000_000);

/// What a payer has in the vault, and may promise in a session.
const DEPOSIT: Amount = Amount(1 << 80);

/// The least a seller takes for a MiB. Each byte costs 1,000 units.
pub(crate) const RESERVE: Amount = Amount(1_000 << 20);

/// What a host does with money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trade {
    /// Nothing: nobody was asked, as everywhere by default.
    #[default]
    None,
    /// It pays up to so many times the seller's least price.
    Buys(u128),
    /// It sells half of its slots.
    Sells,
}

/// What a host keeps of payment, and what it was told.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    pub(crate) trade: Trade,
    pub(crate) records: BTreeMap<RecordKey, Vec<u8>>,
    pub(crate) events: Vec<Event>,
}

/// What the vault paid: to whom, out of which session.
#[derive(Debug, Default)]
pub(crate) struct Vault {
    claimed: BTreeMap<(Grant, Address), u128>,
}

impl Vault {
    fn view(&self, grant: Grant, payee: Address) -> AccountView {
        let of_owner = self.claimed.iter().filter(|((of, _), _)| of.owner == grant.owner);
        let of_session = self.claimed.iter().filter(|((of, _), _)| *of == grant);
        let sum = |claims: &mut dyn Iterator<Item = u128>| Amount(claims.sum());
        AccountView {
            balance: Amount(DEPOSIT.0 - sum(&mut of_owner.map(|(_, paid)| *paid)).0),
            spent: sum(&mut of_session.map(|(_, paid)| *paid)),
            claimed: Amount(self.claimed.get(&(grant, payee)).copied().unwrap_or_default()),
            ..AccountView::default()
        }
    }

    fn claim(&mut self, voucher: &Promise) -> Amount {
        let free = self.view(voucher.grant, voucher.payee).balance.0;
        let claimed = self.claimed.entry((voucher.grant, voucher.payee)).or_default();
        *claimed += voucher.amount.0.saturating_sub(*claimed).min(free);
        Amount(*claimed)
    }

    /// All it paid to a host.
    pub(crate) fn paid_to(&self, host: HostId) -> Amount {
        let to = self.claimed.iter().filter(|((_, payee), _)| *payee == account(host.0, PAYEE));
        Amount(to.map(|(_, paid)| paid).sum())
    }
}

const OWNER: u8 = 1;
const KEY: u8 = 2;
const PAYEE: u8 = 3;

/// One of a host's accounts.
fn account(host: usize, kind: u8) -> Address {
    let mut address = Address([kind; 20]);
    address.0[..8].copy_from_slice(&(host as u64).to_le_bytes());
    address
}

/// The signature of the world's scheme: the signer, and a digest of it and of what is signed.
fn sign(signer: Address, what: &Signed) -> Signature {
    let mut signature = Signature([0; 65]);
    signature.0[..20].copy_from_slice(&signer.0);
    let digest = sha256(format!("{signer:?} {what:?}").as_bytes());
    signature.0[20..52].copy_from_slice(&digest);
    signature
}

fn signer(what: &Signed, signature: Signature) -> Option<Address> {
    let claimed = Address(*signature.0.first_chunk()?);
    (sign(claimed, what) == signature).then_some(claimed)
}

fn buying(host: usize, times: u128) -> Buying {
    let grant = Grant {
        owner: account(host, OWNER),
        key: account(host, KEY),
        cap: DEPOSIT,
        expiry: UnixTime(DATE.0 + 12 * 3600),
        salt: [7; 32],
    };
    Buying {
        rail: RAIL,
        grant,
        grant_sig: sign(grant.owner, &Signed::Grant { rail: RAIL, grant }),
        price_max: Amount(RESERVE.0 * times),
        link_cap: DEPOSIT,
        session_cap: DEPOSIT,
    }
}

fn selling(host: usize) -> Selling {
    Selling {
        rails: vec![RAIL],
        payee: account(host, PAYEE),
        price: RESERVE,
        slots: 4,
        paid_slots: 2,
        credit: headwater_pay::limit::CREDIT_BYTES_MIN,
        max_unsecured: DEPOSIT,
        claim_fee: Amount(1),
        claim_factor: u32::MAX,
    }
}

impl World {
    /// Switches on what a host that came does with money.
    pub(crate) fn start_trade(&mut self, at: usize) {
        let (now, host) = (self.local(at), &mut self.hosts[at]);
        let torrent = host.torrent();
        let Some(client) = &mut host.client else { return };
        let on = match host.purse.trade {
            Trade::None => return,
            Trade::Buys(times) => Input::BuyingOn(Box::new(buying(at, times))),
            Trade::Sells => Input::SellingOn(Box::new(selling(at))),
        };
        client.handle_pay(now, Input::Clock(DATE));
        client.handle_pay(now, on);
        client.hurry(torrent, true);
    }

    /// Does what a host's payment wants; answers whether there was anything.
    pub(crate) fn trade(&mut self, at: usize) -> bool {
        let now = self.local(at);
        let (hosts, vault) = (&mut self.hosts, &mut self.vault);
        let host = &mut hosts[at];
        let Some(client) = &mut host.client else { return false };
        let Some(step) = client.next_pay() else { return false };
        let action = match step {
            PayStep::Tell(event) => {
                self.trace.note(self.now, at, format_args!("{event:?}"));
                host.purse.events.push(event);
                return true;
            }
            PayStep::Do(action) => action,
        };
        self.trace.note(self.now, at, format_args!("{action:?}"));
        let (job, answer) = match action {
            Action::Sign { job, voucher } => {
                (job, Answer::Signed(sign(voucher.grant.key, &Signed::Voucher(*voucher))))
            }
            Action::Verify { job, of, sig } => (job, Answer::Verified(signer(&of, sig))),
            Action::Store { job, key, bytes } => {
                host.purse.records.insert(key, bytes);
                (job, Answer::Stored)
            }
            Action::Forget(key) => {
                host.purse.records.remove(&key);
                return true;
            }
            Action::ViewAccount { job, grant, payee, .. } => {
                (job, Answer::AccountSeen(vault.view(grant, payee)))
            }
            Action::SubmitClaim { job, voucher, sig, .. } => {
                let signed = signer(&Signed::Voucher(*voucher), sig);
                if signed == Some(voucher.grant.key) {
                    (job, Answer::ClaimDone(vault.claim(&voucher)))
                } else {
                    (job, Answer::Failed(JobFailure::Reverted))
                }
            }
            Action::Send { .. } | Action::Weight { .. } | Action::Allowance { .. } => {
                unreachable!("the client does these itself")
            }
        };
        client.handle_pay(now, Input::Answered { job, answer });
        true
    }

    /// Has a host claim all it was promised, and answers what the vault paid it in all.
    pub fn claim(&mut self, host: HostId) -> Amount {
        let now = self.local(host.0);
        if let Some(client) = &mut self.hosts[host.0].client {
            client.claim_pay(now);
        }
        self.drain(host.0);
        self.vault.paid_to(host)
    }
}
