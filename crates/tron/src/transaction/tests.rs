//! Bytes and ids are those of TRON's own documentation, and nothing odd is read.

use super::*;
use headwater_base::unhex;

/// Transactions that TRON's documentation shows: page, id, bytes.
const DOCUMENTED: &str = include_str!("tests/documented.txt");

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).expect("a key in range")
}

fn raw() -> Raw {
    let (owner, to) = (key(0x11).address(), key(0x22).address());
    Raw {
        reference: BlockReference { number: [0xab, 0xcd], hash: [7; 8] },
        expiration: UnixMillis(1_700_000_060_000),
        memo: Vec::new(),
        contract: Contract::Transfer(Transfer { owner, to, amount: Amount(1_000_000) }),
        permission: 0,
        timestamp: UnixMillis(1_700_000_000_000),
        fee_limit: Amount(0),
    }
}

#[test]
fn documented_transactions_have_their_ids_and_are_written_the_same() {
    let mut seen = 0;
    for line in DOCUMENTED.lines().filter(|line| !line.starts_with('#')) {
        let [page, id, bytes] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("three words needed: {line}");
        };
        let bytes = unhex(bytes).expect("hex");
        let raw = Raw::decode(&bytes).unwrap_or_else(|error| panic!("{page}: {error}"));
        assert_eq!(raw.encode().as_deref(), Ok(bytes.as_slice()), "{page}");
        assert_eq!(format!("{:?}", raw.id().expect("an id")), id, "{page}");
        seen += 1;
    }
    assert_eq!(seen, 18);
}

#[test]
fn documented_transactions_pass_through_json_in_both_forms() {
    let mut seen = 0;
    for line in DOCUMENTED.lines().filter(|line| !line.starts_with('#')) {
        let bytes = unhex(line.rsplit(' ').next().expect("a word")).expect("hex");
        let raw = Raw::decode(&bytes).expect("documented");
        let transaction = Transaction { raw, signatures: Vec::new() };
        if matches!(transaction.raw.contract, Contract::Other { .. }) {
            let json = TransactionJson::of(&transaction, false);
            assert_eq!(json, Err(TransactionError::Unsupported));
            continue;
        }
        for visible in [false, true] {
            let json = TransactionJson::of(&transaction, visible).expect("a known contract");
            let again = TransactionJson::parse(json.to_text().as_bytes()).expect("JSON");
            assert_eq!(again.read(), Ok(transaction.clone()), "{}", json.to_text());
            assert_eq!(again.said_id(), transaction.id().ok());
        }
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn signed_transaction_tells_its_signer_and_is_read_again() {
    let signed = raw().sign(&key(0x11)).expect("small numbers");
    assert_eq!(signed.signers(), Ok(vec![key(0x11).address()]));
    let bytes = signed.encode().expect("small numbers");
    assert_eq!(Transaction::decode(&bytes), Ok(signed));
}

#[test]
fn bytes_that_are_written_in_another_way_are_refused() {
    let bytes = raw().encode().expect("small numbers");
    let unknown = [bytes.as_slice(), &[0xa0, 0x06, 1]].concat();
    assert_eq!(Raw::decode(&unknown), Err(TransactionError::NotCanonical));
    let zero = [bytes.as_slice(), &[0x90, 0x01, 0]].concat();
    assert_eq!(Raw::decode(&zero), Err(TransactionError::NotCanonical));
}

#[test]
fn truncated_and_mangled_bytes_never_panic() {
    let signed = raw().sign(&key(0x11)).expect("small numbers");
    let bytes = signed.encode().expect("small numbers");
    let honest = |bytes: &[u8]| {
        if let Ok(read) = Transaction::decode(bytes) {
            assert_eq!(read.encode().as_deref(), Ok(bytes));
        }
    };
    for at in 0..bytes.len() {
        honest(&bytes[..at]);
        for flip in [1, 0x80, 0xff] {
            let mut mangled = bytes.clone();
            mangled[at] ^= flip;
            honest(&mangled);
        }
    }
}

#[test]
fn oversize_is_refused_before_it_is_read() {
    let (found, allowed) = (limit::TRANSACTION_BYTES_MAX + 1, limit::TRANSACTION_BYTES_MAX);
    let error = Err(TransactionError::TooLong { found, allowed });
    assert_eq!(Raw::decode(&vec![0; found]), error);
    let memo = vec![0; found];
    assert!(matches!(Raw { memo, ..raw() }.encode(), Err(TransactionError::TooLong { .. })));
}

#[test]
fn two_contracts_are_refused() {
    let mut message = proto::Raw::try_from(&raw()).expect("small numbers");
    message.contract.push(message.contract[0].clone());
    let error = Err(TransactionError::Contracts { found: 2 });
    assert_eq!(Raw::decode(&message.encode_to_vec()), error);
    message.contract.clear();
    let error = Err(TransactionError::Contracts { found: 0 });
    assert_eq!(Raw::decode(&message.encode_to_vec()), error);
}

#[test]
fn parameter_of_another_type_is_refused() {
    let mut message = proto::Raw::try_from(&raw()).expect("small numbers");
    let parameter = message.contract[0].parameter.as_mut().expect("a parameter");
    parameter.type_url = "type.googleapis.com/protocol.TriggerSmartContract".to_owned();
    let error = Err(TransactionError::Kind { kind: 1 });
    assert_eq!(Raw::decode(&message.encode_to_vec()), error);
}

#[test]
fn amounts_beyond_int64_and_fees_beyond_the_chains_limit_are_refused() {
    let (owner, to) = (key(0x11).address(), key(0x22).address());
    let amount = Amount(1 << 63);
    let contract = Contract::Transfer(Transfer { owner, to, amount });
    let error = Raw { contract, ..raw() }.encode();
    assert!(matches!(error, Err(TransactionError::Number { field: "amount", .. })));
    let error = Raw { fee_limit: Amount(15_000_000_001), ..raw() }.encode();
    assert!(matches!(error, Err(TransactionError::Number { field: "fee_limit", .. })));
}

#[test]
fn negative_amount_is_refused() {
    let mut message = proto::Raw::try_from(&raw()).expect("small numbers");
    let parameter = message.contract[0].parameter.as_mut().expect("a parameter");
    let mut transfer = proto::Transfer::decode(parameter.value.as_slice()).expect("a transfer");
    transfer.amount = -1;
    parameter.value = transfer.encode_to_vec();
    let error = Raw::decode(&message.encode_to_vec());
    assert!(matches!(error, Err(TransactionError::Number { field: "amount", found: -1, .. })));
}

#[test]
fn block_is_named_by_two_bytes_of_its_number_and_eight_of_its_hash() {
    let mut id = [0x99; 32];
    id[..8].copy_from_slice(&0x0123_4567_u64.to_be_bytes());
    let reference = BlockId(id).reference();
    assert_eq!(BlockId(id).number(), 0x0123_4567);
    assert_eq!(reference, BlockReference { number: [0x45, 0x67], hash: [0x99; 8] });
}
