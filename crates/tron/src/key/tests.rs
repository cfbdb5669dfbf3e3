//! Signatures have one form only, and tell their signer.

use headwater_base::unhex;

use super::*;

const DIGEST: Digest256 = [0xab; 32];

/// The order of the curve, from which `s` of the second form is taken.
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn key(byte: u8) -> SecretKey {
    SecretKey::from_bytes(&[byte; 32]).expect("a key in range")
}

/// The same signature with `s` in the upper half.
fn malleated(signature: Signature) -> Signature {
    let order = unhex(ORDER).expect("hex");
    let mut bytes = signature.0;
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i16::from(order[at]) - i16::from(bytes[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        bytes[32 + at] = u8::try_from(digit.rem_euclid(256)).expect("a byte");
    }
    bytes[64] = 55 - bytes[64];
    Signature(bytes)
}

#[test]
fn addresses_are_those_tronweb_derives() {
    for (byte, text) in [
        (0x11, "TCLBgkbfVkJroVBJVqBEsxtPNQEQMTQCLQ"),
        (0x22, "TBvJUBXorwBPzqvV38vjDgegj5Eh6g2Tsq"),
        (0x33, "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8"),
    ] {
        assert_eq!(address::to_base58(key(byte).address()), text);
    }
}

#[test]
fn signature_tells_its_signer_and_is_the_same_each_time() {
    let signature = key(0x11).sign(&DIGEST);
    assert_eq!(recover(&DIGEST, &signature), Ok(key(0x11).address()));
    assert_eq!(signature, key(0x11).sign(&DIGEST));
    assert!(matches!(signature.0[64], 27 | 28));
}

#[test]
fn signature_of_another_digest_tells_somebody_else() {
    let signature = key(0x11).sign(&DIGEST);
    let needed = key(0x11).address();
    let other = check(&[0xac; 32], &signature, needed);
    assert!(matches!(other, Err(SignatureError::Signer { .. } | SignatureError::NoKey)));
    assert_eq!(check(&DIGEST, &signature, needed), Ok(()));
}

#[test]
fn malleated_signature_is_refused() {
    for byte in 1..32 {
        let signature = malleated(key(byte).sign(&DIGEST));
        assert_eq!(recover(&DIGEST, &signature), Err(SignatureError::HighS));
    }
}

#[test]
fn every_other_v_is_refused() {
    let mut signature = key(0x11).sign(&DIGEST);
    for v in (0..=u8::MAX).filter(|v| !matches!(v, 27 | 28)) {
        signature.0[64] = v;
        assert_eq!(recover(&DIGEST, &signature), Err(SignatureError::Parity { found: v }));
    }
}

#[test]
fn r_and_s_out_of_range_are_refused() {
    let order = unhex(ORDER).expect("hex");
    for (at, part) in [(0, vec![0; 32]), (32, vec![0; 32]), (0, order.clone()), (32, order)] {
        let mut signature = key(0x11).sign(&DIGEST);
        signature.0[at..at + 32].copy_from_slice(&part);
        assert_eq!(recover(&DIGEST, &signature), Err(SignatureError::Range));
    }
}

#[test]
fn r_of_no_point_belongs_to_no_key() {
    let mut signature = key(0x11).sign(&DIGEST);
    signature.0[..32].copy_from_slice(&[[0; 31].as_slice(), &[5]].concat());
    assert_eq!(recover(&DIGEST, &signature), Err(SignatureError::NoKey));
}

#[test]
fn zero_and_the_order_are_no_keys() {
    let order: [u8; 32] = unhex(ORDER).expect("hex").try_into().expect("32 bytes");
    assert!(matches!(SecretKey::from_bytes(&[0; 32]), Err(KeyError::Range)));
    assert!(matches!(SecretKey::from_bytes(&order), Err(KeyError::Range)));
}

#[test]
fn debug_shows_the_address_and_no_digit_of_the_key() {
    let shown = format!("{:?}", key(0x11));
    assert_eq!(shown, "SecretKey of TCLBgkbfVkJroVBJVqBEsxtPNQEQMTQCLQ");
}
