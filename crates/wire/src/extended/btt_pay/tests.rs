//! The forms of paid priority, and what is not read.

use headwater_base::UnixTime;
use proptest::prelude::*;

use super::*;

fn every_kind() -> Vec<PayMessage> {
    let rail = Rail { chain: 1, vault: Address([2; 20]), token: Address([3; 20]) };
    let payee = Address([4; 20]);
    let (price, sig) = (Amount(u128::MAX), Signature([5; 65]));
    let key = Address([6; 20]);
    let cap = Amount(5000 * 10_u128.pow(18));
    let grant = Grant { owner: payee, key, cap, expiry: UnixTime(1_800_000_000), salt: [7; 32] };
    let content = ContentId([8; 32]);
    let (grant_sig, amount) = (Signature([9; 65]), price);
    vec![
        PayMessage::Offer(Offer { id: u64::MAX, rail, payee, price, credit: 9, valid_s: 600 }),
        PayMessage::Bid(Box::new(Bid { offer: 1, price, budget: cap, grant, sig })),
        PayMessage::Award(Award { offer: 1, price, from: 77, credit: 262_144, until_s: 30 }),
        PayMessage::Refuse { code: RefuseCode::Rail },
        PayMessage::Voucher { amount: cap, sig, bytes: 1 << 40 },
        PayMessage::Receipt { amount: cap, bytes: 3 },
        PayMessage::Due { amount: Amount(7), grace_ms: 5000 },
        PayMessage::Reserve { amount: Amount(7), sig },
        PayMessage::End { code: EndCode::Flood },
        PayMessage::Buy(Box::new(Buy { content, price, rail, grant, grant_sig, amount, sig })),
        PayMessage::Key { content, sealed: [10; SEALED_LEN] },
        PayMessage::Deny { content, price, code: RefuseCode::Content },
    ]
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    for message in every_kind() {
        assert!(message.encode().len() <= limit::PAY_BYTES_MAX);
        assert_eq!(PayMessage::decode(&message.encode()), Ok(Some(message)));
    }
}

#[test]
fn voucher_has_the_form_of_the_readme() {
    let voucher =
        PayMessage::Voucher { amount: Amount(1 << 63), sig: Signature([b's'; 65]), bytes: 9 };
    let expect = b"d1:a16:\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\x001:ni9e1:ti4e1:x65:\
        ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssse";
    assert_eq!(voucher.encode(), expect.as_slice());
}

#[test]
fn key_and_denial_have_the_form_of_the_readme() {
    let content = ContentId([b'h'; 32]);
    let key = PayMessage::Key { content, sealed: [b'k'; SEALED_LEN] };
    let expect = b"d1:h32:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh1:k65:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\
        kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk1:ti10ee";
    assert_eq!(key.encode(), expect.as_slice());
    let deny = PayMessage::Deny { content, price: Amount(9), code: RefuseCode::Price };
    let expect = b"d1:ci3e1:h32:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh1:qi9e1:ti11ee";
    assert_eq!(deny.encode(), expect.as_slice());
}

#[test]
fn a_sealed_key_of_another_size_is_an_error() {
    let cut = b"d1:h32:hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh1:k2:kk1:ti10ee";
    assert!(matches!(PayMessage::decode(cut), Err(Error::Field { key: "k", .. })));
    let cut = b"d1:ci3e1:h2:hh1:ti11ee";
    assert!(matches!(PayMessage::decode(cut), Err(Error::Field { key: "h", .. })));
}

#[test]
fn unknown_kinds_keys_and_codes_are_no_errors() {
    assert_eq!(PayMessage::decode(b"d1:ti12e1:zi1ee"), Ok(None));
    let end = PayMessage::End { code: EndCode::Other };
    assert_eq!(PayMessage::decode(b"d1:ci77e1:ti8e1:zlee"), Ok(Some(end)));
}

#[test]
fn missing_short_negative_and_oversized_fields_are_errors() {
    let field = |text: &[u8]| match PayMessage::decode(text) {
        Err(Error::Field { key, .. }) => key,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(b"d1:ci1ee"), "t");
    assert_eq!(field(b"d1:ti-1ee"), "t");
    assert_eq!(
        field(
            b"d1:ai1e1:ni1e1:ti4e1:x64:\
        ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss\
        e"
        ),
        "x"
    );
    assert_eq!(field(b"d1:a15:aaaaaaaaaaaaaaa1:ni1e1:ti5ee"), "a");
    assert_eq!(field(b"d1:ai1e1:gi4294967296e1:ti6ee"), "g");
    assert_eq!(field(b"li4ee"), "t");
    let long = vec![b'd'; limit::PAY_BYTES_MAX + 1];
    assert!(matches!(PayMessage::decode(&long), Err(Error::Text { .. })));
}

proptest! {
    #[test]
    fn arbitrary_payloads_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Some(read)) = PayMessage::decode(&bytes) {
            prop_assert_eq!(PayMessage::decode(&read.encode()), Ok(Some(read)));
        }
    }

    #[test]
    fn damaged_messages_never_panic(kind in 0..12_usize, at in 0..600_usize, byte in any::<u8>()) {
        let mut bytes = every_kind()[kind].encode().to_vec();
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        if let Ok(Some(read)) = PayMessage::decode(&bytes) {
            prop_assert_eq!(PayMessage::decode(&read.encode()), Ok(Some(read)));
        }
    }
}
