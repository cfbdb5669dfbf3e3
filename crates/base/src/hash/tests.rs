//! Both hashes against published vectors, and the lanes against the crates that hash one by one.

use proptest::prelude::*;

use super::lanes::{Best, LANES, Plain};
use super::many::four;
use super::wide1::Wide1;
use super::wide256::Wide256;
use super::*;

/// Message, SHA-1 and SHA-256, from FIPS 180-2 with change notice 1 (appendices A and B) and NIST's
/// "Examples with Intermediate Values" (SHA_All.pdf).
const EXAMPLES: [(&[u8], &str, &str); 3] = [
    (
        b"abc",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    ),
    (
        b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ),
    (
        b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn\
          hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "a49b2446a02c645bf419f995b67091253a04a259",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
    ),
];

#[test]
fn every_way_to_hash_matches_the_examples_of_fips_180() {
    for (message, expect1, expect256) in EXAMPLES {
        check(message, expect1, expect256);
    }
    let million = vec![b'a'; 1_000_000];
    check(
        &million,
        "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    );
}

#[test]
fn sha1_in_parts_equals_sha1_at_once() {
    let mut parts = Sha1::default();
    parts.update(b"a");
    parts.update(b"bc");
    assert_eq!(parts.finish(), sha1(b"abc"));
}

#[test]
fn unhex_refuses_odd_text() {
    assert_eq!(unhex("00fF"), Some(vec![0, 255]));
    assert_eq!(unhex("0"), None);
    assert_eq!(unhex("0g"), None);
    assert_eq!(unhex("+1"), None);
}

#[test]
fn lanes_pad_every_length_around_a_stride_right() {
    let bytes: Vec<u8> = (0..LANES * 200).map(|at| (at * 7) as u8).collect();
    for len in 0..=193 {
        let lanes = core::array::from_fn(|lane| &bytes[lane * 200..lane * 200 + len]);
        assert_eq!(four::<Wide1<Best>>(lanes), lanes.map(sha1), "SHA-1 of {len} bytes");
        assert_eq!(four::<Wide256<Best>>(lanes), lanes.map(sha256), "SHA-256 of {len} bytes");
    }
}

#[test]
fn nothing_to_hash_gives_no_digest() {
    assert!(sha1_many(&[]).is_empty() && sha256_many(&[]).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lanes_of_either_form_equal_one_after_another(
        bytes in prop::collection::vec(any::<u8>(), 4..4096),
    ) {
        let part = bytes.len() / LANES;
        let lanes = core::array::from_fn(|lane| &bytes[lane * part..(lane + 1) * part]);
        prop_assert_eq!(four::<Wide1<Best>>(lanes), lanes.map(sha1));
        prop_assert_eq!(four::<Wide1<Plain>>(lanes), lanes.map(sha1));
        prop_assert_eq!(four::<Wide256<Best>>(lanes), lanes.map(sha256));
        prop_assert_eq!(four::<Wide256<Plain>>(lanes), lanes.map(sha256));
    }

    #[test]
    fn many_inputs_of_few_lengths_keep_their_order(
        inputs in prop::collection::vec((0..6_usize, any::<u8>()), 0..40),
    ) {
        const LENGTHS: [usize; 6] = [0, 1, 255, 256, 1000, 16384];
        let inputs: Vec<Vec<u8>> =
            inputs.iter().map(|(len, byte)| vec![*byte; LENGTHS[*len]]).collect();
        let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
        let expect1: Vec<_> = inputs.iter().map(|input| sha1(input)).collect();
        let expect256: Vec<_> = inputs.iter().map(|input| sha256(input)).collect();
        prop_assert_eq!(sha1_many(&inputs), expect1.clone());
        prop_assert_eq!(sha256_many(&inputs), expect256.clone());
        // With the processor's own instructions the lanes above are not taken.
        prop_assert_eq!(many::many::<Wide1<Best>>(&inputs, sha1), expect1);
        prop_assert_eq!(many::many::<Wide256<Best>>(&inputs, sha256), expect256);
    }
}

/// Hashes the message one by one, side by side with others, and as many.
fn check(message: &[u8], expect1: &str, expect256: &str) {
    let other = vec![b'z'; message.len()];
    let lanes = [message, &other, message, &other];
    let (one, expect1) = (sha1(message), unhex(expect1).expect("hex"));
    assert_eq!(one.as_slice(), expect1);
    assert_eq!(four::<Wide1<Best>>(lanes)[2].as_slice(), expect1);
    assert_eq!(sha1_many(&lanes), [one, sha1(&other), one, sha1(&other)]);
    let (one, expect256) = (sha256(message), unhex(expect256).expect("hex"));
    assert_eq!(one.as_slice(), expect256);
    assert_eq!(four::<Wide256<Best>>(lanes)[2].as_slice(), expect256);
    assert_eq!(sha256_many(&lanes), [one, sha256(&other), one, sha256(&other)]);
}
