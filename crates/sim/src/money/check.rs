//! What must hold of money at every step, whatever anybody does: the bounds of loss that
//! `crates/pay/README.md` states. And what must agree at the end.

use headwater_base::{Amount, LinkId};
use headwater_pay::{Event, Record, owed};

use super::vault::{PAYEE, account, grant};
use super::{RESERVE, Trade};
use crate::host::HostId;
use crate::world::World;

/// What one honest buyer promised to one honest seller, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The buyer.
    pub buyer: HostId,
    /// The seller.
    pub seller: HostId,
    /// What the buyer has stored as promised.
    pub promised: Amount,
    /// What the seller has stored as promised to it.
    pub earned: Amount,
    /// What the vault paid.
    pub claimed: Amount,
}

impl World {
    /// A host's payment told something.
    pub(super) fn judge_deal(&mut self, at: usize, event: &Event) {
        let host = &mut self.hosts[at];
        if let (Event::PriceChanged { link, price }, Trade::Buys(times)) = (event, host.purse.trade)
        {
            let most = RESERVE.0 * times;
            assert!(price.0 <= most, "host {at} pays {price:?} for a MiB, {most} is its most");
            let top = host.purse.tops.entry(*link).or_default();
            *top = price.0.max(*top);
        }
        if let Event::Overissued { lost, .. } = event {
            let most = host.purse.unsecured;
            assert!(*lost <= most, "host {at} lost {lost:?} to an over-issuer, {most:?} allowed");
        }
    }

    /// After payment did something: no loss is beyond its bound.
    pub(crate) fn judge_purse(&mut self, at: usize) {
        if self.hosts[at].purse.trade == Trade::None {
            return;
        }
        let unit = self.unit(at);
        let host = &mut self.hosts[at];
        let Some(client) = host.client.as_ref().filter(|_| host.honest) else { return };
        let view = client.pay_view();
        for buying in &view.buying {
            let top = host.purse.tops.get(&buying.link).copied().unwrap_or_default();
            let most = owed(buying.bytes + u64::from(unit), Amount(top));
            let (promised, bytes) = (buying.promised, buying.bytes);
            assert!(promised <= most, "host {at} promised {promised:?} for {bytes} good bytes");
        }
        for selling in &view.selling {
            let Some((_, window)) = selling.credit else { continue };
            let Some(payer) = host.partners.get(&selling.link) else { continue };
            let most = host.purse.windows.entry(*payer).or_default();
            *most = window.max(*most);
            let (debt, most) = (selling.debt, *most);
            assert!(debt <= most, "host {payer} owes host {at} {debt:?}, its window is {most:?}");
            let worst = host.purse.debts.entry(*payer).or_default();
            *worst = debt.max(*worst);
        }
    }

    /// The most that a buyer ever owed a seller, in bytes at the least price.
    pub fn worst_debt(&self, seller: HostId, buyer: HostId) -> u64 {
        let debts = &self.hosts[seller.0].purse.debts;
        headwater_pay::affordable(debts.get(&buyer.0).copied().unwrap_or_default(), RESERVE)
    }

    /// The largest window that a seller gave a buyer.
    pub fn largest_window(&self, seller: HostId, buyer: HostId) -> Amount {
        self.hosts[seller.0].purse.windows.get(&buyer.0).copied().unwrap_or_default()
    }

    /// Has every honest seller claim, and tells of every account between the honest that is not
    /// empty. The vault never paid more than was promised, nor less than was taken.
    pub fn settle_accounts(&mut self) -> Vec<Account> {
        let honest = |world: &Self, sells: bool| {
            let hosts = world.hosts.iter().enumerate();
            let is = |trade: Trade| if sells { trade == Trade::Sells } else { trade.buys() };
            let those = hosts.filter(|(_, host)| host.honest && is(host.purse.trade));
            those.map(|(at, _)| HostId(at)).collect::<Vec<_>>()
        };
        let (sellers, buyers) = (honest(self, true), honest(self, false));
        let mut accounts = Vec::new();
        for seller in sellers {
            self.claim(seller);
            for buyer in &buyers {
                let account = self.between(*buyer, seller);
                let Account { promised, earned, claimed, .. } = account;
                assert!(claimed <= earned && earned <= promised, "{account:?}");
                if promised.0 > 0 {
                    accounts.push(account);
                }
            }
        }
        accounts
    }

    /// What is stored and paid between two hosts.
    fn between(&self, buyer: HostId, seller: HostId) -> Account {
        let (grant, payee) = (grant(buyer.0), account(seller.0, PAYEE));
        let stored = |host: HostId| {
            let records = self.hosts[host.0].purse.records.values();
            records.filter_map(|bytes| Record::decode(bytes).ok())
        };
        let ours =
            |promise: &headwater_pay::Promise| (promise.grant, promise.payee) == (grant, payee);
        let promised = stored(buyer).find_map(|record| {
            let Record::Promised(promise) = record else { return None };
            ours(&promise).then_some(promise.amount)
        });
        let earned = stored(seller).find_map(|record| {
            let Record::Credit { voucher, .. } = record else { return None };
            ours(&voucher).then_some(voucher.amount)
        });
        Account {
            buyer,
            seller,
            promised: promised.unwrap_or_default(),
            earned: earned.unwrap_or_default(),
            claimed: self.vault.claimed(grant, payee),
        }
    }

    /// What a buyer's promises come to is what it verified, at prices it agreed to, and at most one
    /// unit of each link that was paid ahead and never found good.
    pub fn judge_bought(&self, buyer: HostId) {
        let host = &self.hosts[buyer.0];
        let (bytes, amount) = host.bought();
        let Trade::Buys(times) = host.purse.trade else { return };
        let prices = || host.purse.events.iter().filter_map(price_of);
        let links: std::collections::BTreeSet<_> = prices().map(|(link, _)| link).collect();
        let ahead = links.len() as u64 * u64::from(self.unit(buyer.0));
        let top = prices().map(|(_, price)| price).max().unwrap_or_default();
        assert!(top.0 <= RESERVE.0 * times, "{buyer:?} agreed to {top:?}");
        let (least, most) = (owed(bytes, RESERVE), owed(bytes + ahead, top));
        assert!(least <= amount && amount <= most, "{buyer:?}: {amount:?} for {bytes} bytes");
        assert!(bytes <= host.got, "{buyer:?} bought {bytes} bytes and got {}", host.got);
        let stored = Amount(amount.0 + host.purse.orphan.0);
        assert_eq!(stored, host.purse.promised(), "{buyer:?}: stored and told of");
    }

    /// Bytes that are verified at once.
    fn unit(&self, at: usize) -> u32 {
        let sample = &self.samples[self.hosts[at].sample.0].torrent;
        let is_v2 = sample.version() == headwater_metainfo::Version::V2;
        if is_v2 { headwater_base::BLOCK_LEN } else { sample.piece_length }
    }
}

fn price_of(event: &Event) -> Option<(LinkId, Amount)> {
    if let Event::PriceChanged { link, price } = event { Some((*link, *price)) } else { None }
}
