//! Digests are those of tronweb 6.5.1 and of `alloy`, and every part of them counts.

use alloy_sol_types::{SolStruct as _, eip712_domain, sol};
use headwater_base::{hex, unhex};

use super::*;
use crate::key::{SecretKey, recover};

mod other {
    //! The same structures by another implementation of EIP-712.
    use super::sol;

    sol! {
        struct Grant { address owner; address key; uint128 cap; uint64 expiry; bytes32 salt; }
        struct Voucher { bytes32 session; address payee; uint128 amount; }
        struct Publication {
            bytes20 v1; bytes32 v2; address payee; address token; uint128 tip; uint128 price;
            bytes32 check;
        }
        struct Reserve { bytes32 session; address payee; uint128 amount; }
    }
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).expect("a key in range")
}

fn nile() -> Domain {
    Domain { chain_id: 3_448_148_188, vault: Address([0x44; 20]) }
}

fn grant() -> Grant {
    Grant {
        owner: key(0x11).address(),
        key: key(0x22).address(),
        cap: Amount(5_000 * 10_u128.pow(18)),
        expiry: UnixTime(1_800_000_000),
        salt: [0x55; 32],
    }
}

fn voucher() -> Voucher {
    let amount = Amount(1_234_567_890_000_000_000);
    Voucher { session: grant().session(), payee: key(0x33).address(), amount }
}

fn reserve() -> Reserve {
    let Voucher { session, payee, amount } = voucher();
    Reserve { session, payee, amount }
}

fn publication() -> Publication {
    Publication {
        v1: [0x66; 20],
        v2: [0x77; 32],
        payee: key(0x33).address(),
        token: Address([0x88; 20]),
        tip: Amount(5 * 10_u128.pow(18)),
        price: Amount(u128::MAX),
        check: [0x99; 32],
    }
}

#[test]
fn digests_are_those_of_tronweb() {
    for (found, known) in [
        (nile().separator(), "620dac078e1b09ef39df3d4a5cb398c740bddb70db6006a5c012c4209f5a773e"),
        (grant().session(), "541ddbd627e75892426808cbf1fa959c4ee9b98f9d06bd839a8e595c99ac2fc7"),
        (
            grant().digest(&nile()),
            "6a2d1749f506bf06f1462085cf0a63327a3549da4bb95e60b7a14f3936cff222",
        ),
        (
            voucher().digest(&nile()),
            "5c0ca563ed94cebd251c4137885dc7fce45ee5874d8cef625608f9f3508b0a25",
        ),
        (
            reserve().digest(&nile()),
            "05935132fcd734bba0f841772d1e7c1d92bb82e2f8acaf16a2e506c6ba897bd4",
        ),
    ] {
        assert_eq!(hex(&found), known);
    }
}

#[test]
fn signatures_are_those_of_tronweb() {
    for (by, digest, known) in [
        (
            0x11,
            grant().digest(&nile()),
            "87d4b7350c1bb43efe64059a77936d1433964c03539247aef4747791dd5ebda7\
             60fd9d37caa79d85bd2b6b93885214626eb90b73e7ce1ce41eb20c22d7d979b41b",
        ),
        (
            0x22,
            voucher().digest(&nile()),
            "c8f21897cc29ffc2dd9d1cd6cdf164ba8b68ca3cc44a75f937af14ef588c9cd1\
             11b002e7da4eca4d3e14851c52b8313966bc37fef849ca11b6c10d04847d9c8b1c",
        ),
        (
            0x22,
            reserve().digest(&nile()),
            "5c53199bb5d8e0eb78394ff0af6c1011dfb7074682a598dd6e56bfadc384833a\
             0f78262d3cab435db46d13d580c002cf2fc9f8ae563d83aca696adad7bab12ef1c",
        ),
    ] {
        let signature = key(by).sign(&digest);
        assert_eq!(hex(&signature.0), known);
        assert_eq!(recover(&digest, &signature), Ok(key(by).address()));
    }
}

#[test]
fn digests_are_those_of_another_implementation() {
    let Grant { owner, key, cap, expiry, salt } = grant();
    let domain = eip712_domain! {
        name: NAME, version: VERSION, chain_id: nile().chain_id,
        verifying_contract: nile().vault.0.into(),
    };
    let (owner, key, salt) = (owner.0.into(), key.0.into(), salt.into());
    let other = other::Grant { owner, key, cap: cap.0, expiry: expiry.0, salt };
    assert_eq!(other.eip712_signing_hash(&domain).0, grant().digest(&nile()));
    let Voucher { session, payee, amount } = voucher();
    let (session, payee, amount) = (session.into(), payee.0.into(), amount.0);
    let other = other::Voucher { session, payee, amount };
    assert_eq!(other.eip712_signing_hash(&domain).0, voucher().digest(&nile()));
    let other = other::Reserve { session, payee, amount };
    assert_eq!(other.eip712_signing_hash(&domain).0, reserve().digest(&nile()));
    let Publication { v1, v2, payee, token, tip, price, check } = publication();
    let (v1, v2, check) = (v1.into(), v2.into(), check.into());
    let (payee, token, tip, price) = (payee.0.into(), token.0.into(), tip.0, price.0);
    let other = other::Publication { v1, v2, payee, token, tip, price, check };
    assert_eq!(other.eip712_signing_hash(&domain).0, publication().digest(&nile()));
}

#[test]
fn every_word_of_a_publication_counts_and_so_does_its_place() {
    let base = publication().digest(&nile());
    for other in [
        Publication { v1: [0; 20], ..publication() },
        Publication { v2: [0; 32], ..publication() },
        Publication { payee: Address([0; 20]), ..publication() },
        Publication { token: Address([0; 20]), ..publication() },
        Publication { tip: Amount(0), ..publication() },
        Publication { price: Amount(0), ..publication() },
        Publication { check: [0; 32], ..publication() },
    ] {
        assert_ne!(other.digest(&nile()), base);
    }
    assert_ne!(publication().digest(&Domain { chain_id: 1, ..nile() }), base);
    assert_ne!(publication().digest(&Domain { vault: Address([0; 20]), ..nile() }), base);
}

#[test]
fn voucher_of_another_chain_vault_session_or_payee_has_another_digest() {
    let base = voucher().digest(&nile());
    let elsewhere = Domain { chain_id: 1, ..nile() };
    let other_vault = Domain { vault: Address([0x45; 20]), ..nile() };
    let other_session = Voucher { session: [0; 32], ..voucher() };
    let other_payee = Voucher { payee: Address([0; 20]), ..voucher() };
    for other in [
        voucher().digest(&elsewhere),
        voucher().digest(&other_vault),
        other_session.digest(&nile()),
        other_payee.digest(&nile()),
        reserve().digest(&nile()),
    ] {
        assert_ne!(other, base);
    }
}

#[test]
fn every_term_of_a_grant_makes_another_session() {
    let salt = [0x56; 32];
    for other in [
        Grant { owner: Address([1; 20]), ..grant() },
        Grant { key: Address([1; 20]), ..grant() },
        Grant { cap: Amount(1), ..grant() },
        Grant { expiry: UnixTime(1), ..grant() },
        Grant { salt, ..grant() },
    ] {
        assert_ne!(other.session(), grant().session());
    }
}

#[test]
fn wallet_sees_cap_expiry_and_vault_in_plain_text() {
    let json = grant_json(&nile(), &grant(), Form::Tron);
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(read["domain"]["name"], "Headwater");
    assert_eq!(read["domain"]["chainId"], 3_448_148_188_u64);
    assert_eq!(read["domain"]["verifyingContract"], "TGCAjMXComunWZEXCT1LPBdcYbDVuyexBv");
    assert_eq!(read["message"]["cap"], "5000000000000000000000");
    assert_eq!(read["message"]["expiry"], "1800000000");
    assert_eq!(read["message"]["owner"], "TCLBgkbfVkJroVBJVqBEsxtPNQEQMTQCLQ");
    assert!(read["types"].get("EIP712Domain").is_none());
}

#[test]
fn ethereum_wallet_gets_the_domain_type_and_its_own_addresses() {
    let json = grant_json(&nile(), &grant(), Form::Evm);
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(read["primaryType"], "Grant");
    assert_eq!(read["types"]["EIP712Domain"][2]["type"], "uint256");
    assert_eq!(read["domain"]["verifyingContract"], format!("0x{}", "44".repeat(20)));
    let salt = read["message"]["salt"].as_str().and_then(|text| unhex(&text[2..]));
    assert_eq!(salt, Some(vec![0x55; 32]));
}
