//! What a page sells and has to claim, as JSON: `Terms`, `Earnings` and `Offered` of
//! `www/src/paying.ts`. And records of it, each kept with its digest.

use headwater_base::{Address, Amount, hex, sha256, unhex};
use headwater_client::chain::ClaimOrder;
use headwater_client::pay::{PayView, Record, Selling, limit};
use headwater_tron::address::to_evm;
use headwater_tron::chain::{Chain, Envelope};
use serde::{Deserialize, Serialize};

use super::read_address;

/// Most slots that are sold at once. A page has few links.
const SLOTS_MAX: usize = 64;
/// What a claim costs of a session that was not claimed of before; `crates/pay/README.md` says
/// where it is from. In sun, at 100 of them for a unit of energy, bandwidth included; and in base
/// units of BTT, at 5 · 10^14 for a unit of gas.
const FEE_ON_TRON: u128 = 9_300_000;
const FEE_ON_BTTC: u128 = 59 * 10_u128.pow(18);
/// Bytes of the digest that follows each record.
const DIGEST_LEN: usize = 32;

/// What the user sells, and where they are paid.
#[derive(Deserialize)]
pub(super) struct Terms {
    chain: u64,
    vault: String,
    payee: String,
    /// The least taken for a MiB.
    price: String,
    slots: usize,
    unsecured: String,
}

impl Terms {
    /// The chain, its vault, and what is sold; on no rail before the vault is known to be one.
    pub(super) fn read(&self) -> Option<(&'static Chain, Address, Selling)> {
        let chain = Chain::by_id(self.chain)?;
        let price = self.price.parse().ok().map(Amount)?;
        let is_fair = (1..=limit::PRICE_MAX).contains(&price.0);
        let slots = Some(self.slots).filter(|slots| (1..=SLOTS_MAX).contains(slots))?;
        let payee = read_address(&self.payee).filter(|payee| payee.0 != [0; 20])?;
        is_fair.then_some(())?;
        let vault = read_address(&self.vault)?;
        let selling = Selling {
            rails: Vec::new(),
            payee,
            price,
            // The engine holds what is sold to half of the slots that it has at that moment.
            slots: 2 * slots,
            paid_slots: slots,
            credit: limit::CREDIT_BYTES_MIN,
            max_unsecured: Amount(self.unsecured.parse().ok()?),
            // The page has no key that submits: nothing is claimed but what the user asks for.
            claim_fee: Amount(u128::MAX),
            claim_factor: 1,
            contents: Vec::new(),
        };
        Some((chain, vault, selling))
    }
}

#[derive(Serialize)]
struct Earnings {
    earned: String,
    unclaimed: String,
    fee: Fee,
    damaged: usize,
}

#[derive(Serialize)]
struct Fee {
    amount: String,
    unit: &'static str,
}

/// What was earned, and what claiming it would cost.
pub(super) fn earnings(view: &PayView, damaged: usize) -> impl Serialize + use<> {
    let unclaimed = view.earned.0.saturating_sub(view.claimed.0);
    let (earned, unclaimed) = (view.earned.0.to_string(), unclaimed.to_string());
    Earnings { earned, unclaimed, fee: fee(&view.claims), damaged }
}

/// What it costs to claim of sessions on these chains. Where some are on each kind of chain, what
/// those on TRON cost.
fn fee(chains: &[u64]) -> Fee {
    let is_evm = |id: &&u64| Chain::by_id(**id).is_some_and(|it| it.envelope == Envelope::Evm);
    let on_bttc = chains.iter().filter(is_evm).count();
    let (sessions, each, unit) = match chains.len() - on_bttc {
        0 if on_bttc > 0 => (on_bttc, FEE_ON_BTTC, "BTT"),
        on_tron => (on_tron, FEE_ON_TRON, "TRX"),
    };
    Fee { amount: each.saturating_mul(sessions as u128).to_string(), unit }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offered {
    chain_id: u64,
    vault: String,
    owner: String,
    key: String,
    cap: String,
    expiry: u64,
    salt: String,
    owner_signature: String,
    payee: String,
    amount: String,
    key_signature: String,
}

/// A claim for the user's wallet.
pub(super) fn offered(order: &ClaimOrder) -> impl Serialize + use<> {
    let ClaimOrder { voucher, grant_sig, sig } = order;
    Offered {
        chain_id: voucher.rail.chain,
        vault: to_evm(voucher.rail.vault),
        owner: to_evm(voucher.grant.owner),
        key: to_evm(voucher.grant.key),
        cap: voucher.grant.cap.0.to_string(),
        expiry: voucher.grant.expiry.0,
        salt: hex(&voucher.grant.salt),
        owner_signature: hex(&grant_sig.0),
        payee: to_evm(voucher.payee),
        amount: voucher.amount.0.to_string(),
        key_signature: hex(&sig.0),
    }
}

/// A record with its digest.
pub(super) fn seal(bytes: &[u8]) -> Vec<u8> {
    [bytes, &sha256(bytes)].concat()
}

/// The bytes of a record that was kept under `name`, if they are as they were. One under the name
/// of another would take that one's place.
pub(super) fn unseal<'a>(name: &str, kept: &'a [u8]) -> Option<&'a [u8]> {
    let (bytes, digest) = kept.split_last_chunk::<DIGEST_LEN>()?;
    let record = Record::decode(bytes).ok().filter(|_| sha256(bytes) == *digest)?;
    unhex(name).is_some_and(|name| name == record.key().0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use headwater_base::{Signature, UnixTime};
    use headwater_client::pay::Promise;
    use headwater_wire::extended::{Grant, Rail};
    use serde_json::{Value, json};

    use super::*;

    fn order() -> ClaimOrder {
        let (owner, key) = (Address([1; 20]), Address([2; 20]));
        let (cap, expiry) = (Amount(u128::MAX), UnixTime(9));
        let grant = Grant { owner, key, cap, expiry, salt: [8; 32] };
        let rail = Rail { chain: 7, vault: Address([4; 20]), token: Address([5; 20]) };
        let payee = Address([3; 20]);
        let voucher = Promise { rail, grant, payee, amount: Amount(40) };
        ClaimOrder { voucher, grant_sig: Signature([6; 65]), sig: Signature([7; 65]) }
    }

    fn record() -> Record {
        let ClaimOrder { voucher, grant_sig, sig } = order();
        Record::Credit { voucher, grant_sig, sig, claimed: Amount(0) }
    }

    #[test]
    fn a_record_is_read_again_under_its_own_name_and_every_changed_byte_is_noticed() {
        let (name, bytes) = (hex(&record().key().0), record().encode());
        let whole = seal(&bytes);
        assert_eq!(unseal(&name, &whole), Some(bytes.as_slice()));
        for at in 0..whole.len() {
            let mut other = whole.clone();
            other[at] ^= 1;
            assert_eq!((unseal(&name, &other), unseal(&name, &whole[..at])), (None, None), "{at}");
        }
        let stranger = Record::Overissuer { rail: order().voucher.rail, owner: Address([1; 20]) };
        for name in [hex(&stranger.key().0), String::new(), "x".to_owned()] {
            assert_eq!(unseal(&name, &whole), None, "{name}");
        }
        assert_eq!(unseal(&name, &seal(b"")), None);
    }

    fn terms(change: &dyn Fn(&mut Value)) -> Option<(&'static Chain, Address, Selling)> {
        let (vault, payee) = (to_evm(Address([4; 20])), to_evm(Address([3; 20])));
        let chain = headwater_tron::chain::DEVNET.id;
        let mut given = json!({
            "chain": chain, "vault": vault, "payee": payee, "price": "10", "slots": 4,
            "unsecured": "1000",
        });
        change(&mut given);
        serde_json::from_value::<Terms>(given).ok()?.read()
    }

    #[test]
    fn what_is_sold_is_what_was_said_and_nothing_is_claimed_by_itself() {
        let (chain, vault, selling) = terms(&|_| {}).expect("terms");
        assert_eq!((chain.name, vault), ("devnet", Address([4; 20])));
        assert_eq!((selling.payee, selling.price), (Address([3; 20]), Amount(10)));
        assert_eq!((selling.slots, selling.paid_slots), (8, 4));
        assert_eq!((selling.max_unsecured, selling.claim_fee), (Amount(1000), Amount(u128::MAX)));
    }

    #[test]
    fn terms_that_cannot_be_are_refused() {
        let wrong = [
            ("chain", json!(1)),
            ("vault", json!("0x12")),
            ("payee", json!(to_evm(Address([0; 20])))),
            ("payee", json!("T")),
            ("price", json!("0")),
            ("price", json!("-1")),
            ("price", json!((limit::PRICE_MAX + 1).to_string())),
            ("slots", json!(0)),
            ("slots", json!(65)),
            ("slots", json!(-1)),
            ("unsecured", json!("1e3")),
            ("unsecured", json!(1000)),
        ];
        for (name, value) in wrong {
            assert!(terms(&|given| given[name] = value.clone()).is_none(), "{name}: {value}");
        }
    }

    #[test]
    fn a_claim_has_all_that_the_vault_needs_and_no_amount_is_a_number() {
        let told = serde_json::to_value(offered(&order())).expect("JSON");
        assert_eq!(told["cap"], json!(u128::MAX.to_string()));
        assert_eq!(told["amount"], json!("40"));
        assert_eq!(told["payee"], json!(to_evm(Address([3; 20]))));
        assert_eq!(told["ownerSignature"], json!("06".repeat(65)));
        assert_eq!(told["keySignature"], json!("07".repeat(65)));
    }

    #[test]
    fn what_is_not_claimed_and_what_that_costs_is_told() {
        let (earned, claimed) = (Amount(100), Amount(30));
        let on = |claims: &[u64]| {
            let view = PayView { earned, claimed, claims: claims.into(), ..PayView::default() };
            serde_json::to_value(earnings(&view, 1)).expect("JSON")
        };
        let (tron, bttc) = (headwater_tron::chain::DEVNET.id, 199);
        let fee = |amount: &str, unit: &str| json!({ "amount": amount, "unit": unit });
        let twice = fee("18600000", "TRX");
        let expect = json!({ "earned": "100", "unclaimed": "70", "fee": twice, "damaged": 1 });
        assert_eq!(on(&[tron, tron]), expect);
        assert_eq!(on(&[bttc])["fee"], fee("59000000000000000000", "BTT"));
        assert_eq!(on(&[bttc, tron])["fee"], fee("9300000", "TRX"));
        assert_eq!(on(&[])["fee"], fee("0", "TRX"));
    }
}
