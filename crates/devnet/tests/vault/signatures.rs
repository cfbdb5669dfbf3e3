//! Signatures that are forged, borrowed, bent or broken: none of them pays.

use alloy_primitives::{Address as A, B256, U256};
use alloy_sol_types::{Eip712Domain, SolStruct};
use headwater_base::Seed;
use headwater_devnet::evm::prices::Prices;

use crate::faces::{Claim, Grant, Reserve, Vault, Voucher};
use crate::world::{CHAIN, HOUR, START, Session, World, person, refused};
use Vault::VaultErrors as E;

/// The order of the curve.
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn seller(n: u8) -> A {
    person(50 + n).address()
}

fn bad(needed: A) -> E {
    E::BadSignature(Vault::BadSignature { needed })
}

/// A world with money in it, a session, and a voucher that would pay 10.
fn ready() -> (World, Session, Claim) {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    let voucher = session.voucher(seller(1), 10);
    (world, session, voucher)
}

/// The other signature of the same promise by the same key.
fn mirrored(signature: &[u8]) -> Vec<u8> {
    let order = U256::from_str_radix(ORDER, 16).expect("hex");
    let s = U256::from_be_slice(&signature[32..64]);
    let v = if signature[64] == 27 { 28 } else { 27 };
    [&signature[..32], &(order - s).to_be_bytes::<32>(), &[v]].concat()
}

#[test]
fn mirrored_signatures_are_refused() {
    let (mut world, session, voucher) = ready();
    let mut bent = voucher.clone();
    bent.keySig = mirrored(&voucher.keySig).into();
    refused(world.claim(&bent), bad(session.grant.key));
    let mut bent = voucher.clone();
    bent.ownerSig = mirrored(&voucher.ownerSig).into();
    refused(world.claim(&bent), bad(session.grant.owner));
    // The curve itself would take both.
    world.claim(&voucher).expect("good");
}

#[test]
fn recovery_id_may_count_from_0_or_from_27_and_is_nothing_else() {
    let (mut world, session, voucher) = ready();
    let id = voucher.keySig[64] - 27;
    let with = |v: u8| {
        let mut changed = voucher.clone();
        changed.keySig = [&voucher.keySig[..64], &[v]].concat().into();
        changed
    };
    for v in (0..=u8::MAX).filter(|v| *v != id && *v != id + 27) {
        refused(world.claim(&with(v)), bad(session.grant.key));
    }
    world.clone().claim(&with(id)).expect("counted from 0");
    world.claim(&with(id + 27)).expect("counted from 27");
}

#[test]
fn signatures_of_another_length_are_refused() {
    let (mut world, session, voucher) = ready();
    let whole = voucher.keySig.to_vec();
    for bytes in [vec![], whole[..64].to_vec(), [&whole[..], &[0]].concat(), vec![0; 130]] {
        let mut changed = voucher.clone();
        changed.keySig = bytes.clone().into();
        refused(world.claim(&changed), bad(session.grant.key));
        let mut changed = voucher.clone();
        changed.ownerSig = bytes.into();
        refused(world.claim(&changed), bad(session.grant.owner));
    }
}

#[test]
fn signature_of_nobody_does_not_stand_for_address_0() {
    let mut world = World::new();
    world.deposit(1, 100).expect("approved");
    let owner = person(1);
    for (zero_owner, zero_key) in [(true, false), (false, true), (true, true)] {
        let grant = Grant {
            owner: if zero_owner { A::ZERO } else { owner.address() },
            key: if zero_key { A::ZERO } else { person(101).address() },
            cap: 80,
            expiry: START + HOUR,
            salt: B256::ZERO,
        };
        let session = world.granted(&owner, person(101), grant);
        let mut claim = session.voucher(seller(1), 10);
        // Of these nothing is recovered: r and s of 0, and r that is no point.
        for signature in [[0; 65], [255; 65]] {
            let mut nothing = signature;
            nothing[64] = 27;
            if zero_owner {
                claim.ownerSig = nothing.to_vec().into();
            }
            if zero_key {
                claim.keySig = nothing.to_vec().into();
            }
            let needed = if zero_owner { A::ZERO } else { session.grant.key };
            refused(world.claim(&claim), bad(needed));
        }
    }
}

#[test]
fn others_signatures_are_refused() {
    let (mut world, session, voucher) = ready();
    let thief = person(66);
    let stolen = world.granted(&thief, session.key.clone(), session.grant.clone());
    refused(world.claim(&stolen.voucher(seller(1), 10)), bad(session.grant.owner));
    let mut promised = session.clone();
    promised.key = thief;
    refused(world.claim(&promised.voucher(seller(1), 10)), bad(session.grant.key));
    let mut swapped = voucher;
    (swapped.ownerSig, swapped.keySig) = (swapped.keySig, swapped.ownerSig);
    refused(world.claim(&swapped), bad(session.grant.owner));
}

#[test]
fn grant_changed_in_any_field_is_refused() {
    let (mut world, session, _) = ready();
    let changes: [fn(&mut Grant); 4] = [
        |grant| grant.key = person(66).address(),
        |grant| grant.cap += 1,
        |grant| grant.expiry += 1,
        |grant| grant.salt = B256::repeat_byte(9),
    ];
    for change in changes {
        let mut changed = session.clone();
        change(&mut changed.grant);
        refused(world.claim(&changed.voucher(seller(1), 10)), bad(session.grant.owner));
    }
    world.deposit(2, 100).expect("approved");
    let mut changed = session;
    changed.grant.owner = person(2).address();
    refused(world.claim(&changed.voucher(seller(1), 10)), bad(person(2).address()));
}

#[test]
fn voucher_changed_in_any_field_is_refused() {
    let (mut world, session, voucher) = ready();
    let mut richer = voucher.clone();
    richer.amount = 11;
    refused(world.claim(&richer), bad(session.grant.key));
    let mut other = voucher.clone();
    other.payee = seller(2);
    refused(world.claim(&other), bad(session.grant.key));
    world.now += 1;
    let second = world.session(1, 80);
    let mut moved = voucher;
    (moved.grant, moved.ownerSig) = (second.grant.clone(), second.owner_sig.clone().into());
    refused(world.claim(&moved), bad(second.grant.key));
}

#[test]
fn reserve_is_no_voucher_and_voucher_no_reserve() {
    let (mut world, session, voucher) = ready();
    refused(world.reserve(&voucher), bad(session.grant.key));
    refused(world.claim(&session.reserve(seller(1), 10)), bad(session.grant.key));
    assert_ne!(Voucher::eip712_encode_type(), Reserve::eip712_encode_type());
}

#[test]
fn reserve_of_another_is_refused() {
    let (mut world, session, _) = ready();
    let mut forged = session.clone();
    forged.key = person(66);
    refused(world.reserve(&forged.reserve(seller(1), 10)), bad(session.grant.key));
    let stolen = world.granted(&person(66), session.key.clone(), session.grant.clone());
    refused(world.reserve(&stolen.reserve(seller(1), 10)), bad(session.grant.owner));
}

#[test]
fn signatures_for_another_domain_are_refused() {
    let (mut world, session, _) = ready();
    let here = world.domain();
    let name = |text: &'static str| Some(text.into());
    let others = [
        Eip712Domain { name: name("SwarmPay"), ..here.clone() },
        Eip712Domain { version: name("2"), ..here.clone() },
        Eip712Domain { chain_id: Some(U256::from(CHAIN + 1)), ..here.clone() },
        Eip712Domain { verifying_contract: Some(world.token), ..here.clone() },
        Eip712Domain { salt: Some(B256::ZERO), ..here.clone() },
    ];
    for domain in others {
        let mut foreign = session.clone();
        foreign.domain = domain.clone();
        refused(world.claim(&foreign.voucher(seller(1), 10)), bad(session.grant.key));
        let digest = session.grant.eip712_signing_hash(&domain);
        let mut foreign = session.clone();
        foreign.owner_sig = person(1).sign(digest).to_vec();
        refused(world.claim(&foreign.voucher(seller(1), 10)), bad(session.grant.owner));
    }
}

#[test]
fn voucher_of_one_vault_does_not_pay_at_another() {
    let (mut world, session, voucher) = ready();
    world.claim(&voucher).expect("good where it belongs");
    world.vault = world.make_vault(world.token).expect("made");
    world.approve(person(1).address());
    world.deposit(1, 100).expect("approved");
    refused(world.claim(&voucher), bad(session.grant.owner));
}

#[test]
fn voucher_of_one_chain_does_not_pay_on_another() {
    let (_, session, voucher) = ready();
    let mut nile = World::of(Prices::Energy, CHAIN + 1);
    nile.deposit(1, 100).expect("approved");
    refused(nile.claim(&voucher), bad(session.grant.owner));
}

#[test]
fn chain_counts_by_the_32_bits_of_its_id_that_wallets_know() {
    let mut world = World::of(Prices::Energy, (7 << 32) | CHAIN);
    world.deposit(1, 100).expect("approved");
    let session = world.session(1, 80);
    assert_eq!(session.domain.chain_id, Some(U256::from(CHAIN)));
    world.claim(&session.voucher(seller(1), 10)).expect("good");
}

#[test]
fn bit_that_flips_anywhere_in_a_claim_makes_it_worthless() {
    let (mut world, _, voucher) = ready();
    let mut rng = Seed([7; 32]).split("flips");
    for _ in 0..400 {
        let mut bent = voucher.clone();
        let at = usize::try_from(rng.below(2 * 64 * 8)).expect("small");
        let field = if at < 64 * 8 { &mut bent.keySig } else { &mut bent.ownerSig };
        let at = at % (64 * 8);
        let mut bytes = field.to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        *field = bytes.into();
        world.claim(&bent).expect_err("no signature of either");
    }
    assert_eq!(world.balance(seller(1)), 0);
    world.claim(&voucher).expect("good");
}
