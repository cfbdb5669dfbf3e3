//! What is bencode and what is not; bendy is the oracle.

use super::*;
use proptest::prelude::*;

#[test]
fn integers_are_read_in_the_one_way_they_may_be_written() {
    for (text, value) in [
        ("i0e", 0),
        ("i-1e", -1),
        ("i42e", 42),
        ("i9223372036854775807e", i64::MAX),
        ("i-9223372036854775808e", i64::MIN),
    ] {
        assert_eq!(parse(text.as_bytes()).map(|v| v.int()), Ok(Some(value)), "{text}");
    }
    for text in ["ie", "i-e", "i-0e", "i00e", "i01e", "i-01e", "i+1e", "i 1e", "i1.0e", "i0x1e"] {
        assert_eq!(parse(text.as_bytes()), Err(Error::BadInteger { at: 0 }), "{text}");
    }
    for text in ["i9223372036854775808e", "i-9223372036854775809e", "i123456789012345678901234e"] {
        assert_eq!(parse(text.as_bytes()), Err(Error::IntegerRange { at: 0 }), "{text}");
    }
}

#[test]
fn string_lengths_have_no_leading_zero_and_fit_what_is_left() {
    assert_eq!(parse(b"0:").map(|v| v.bytes()), Ok(Some(&b""[..])));
    assert_eq!(parse(b"4:spam").map(|v| v.text()), Ok(Some("spam")));
    for text in ["04:spam", "00:", "4spam", "4-:spam", "99999999999999999999999:a"] {
        assert_eq!(parse(text.as_bytes()), Err(Error::BadLength { at: 0 }), "{text}");
    }
    let expect = Error::StringTooLong { at: 0, found: 999_999_999_999, left: 1 };
    assert_eq!(parse(b"999999999999:x"), Err(expect));
    assert_eq!(parse(b"-1:x"), Err(Error::NotAValue { at: 0, found: b'-' }));
}

#[test]
fn cut_off_values_are_named_as_such() {
    for text in ["", "i", "i1", "i-", "l", "d", "d1:a", "5", "li1e", "d1:ai1e"] {
        assert_eq!(parse(text.as_bytes()), Err(Error::CutOff { at: text.len() }), "{text}");
    }
    assert_eq!(parse(b"e"), Err(Error::NotAValue { at: 0, found: b'e' }));
    assert_eq!(parse(b"di1ei2ee"), Err(Error::KeyNotString { at: 1 }));
    assert_eq!(parse(b"d1:ae"), Err(Error::NotAValue { at: 4, found: b'e' }));
}

#[test]
fn nesting_stops_at_the_limit() {
    let nested = |depth: usize| [vec![b'l'; depth], vec![b'e'; depth]].concat();
    assert!(parse(&nested(100)).is_ok());
    assert_eq!(parse(&nested(101)), Err(Error::TooDeep { at: 100, allowed: 100 }));
    assert_eq!(parse(&[b'l'; 1_000_000]), Err(Error::TooDeep { at: 100, allowed: 100 }));
    let dicts = b"d1:a".repeat(1_000_000);
    assert_eq!(parse(&dicts), Err(Error::TooDeep { at: 400, allowed: 100 }));
}

#[test]
fn values_and_bytes_are_counted() {
    let rules = Rules { values_max: 3, bytes_max: 8, ..Rules::default() };
    assert!(rules.parse(b"li1ei2ee").is_ok());
    assert_eq!(rules.parse(b"l0:0:0:e"), Err(Error::TooManyValues { at: 5, allowed: 3 }));
    assert!(rules.parse(b"d0:0:e").is_ok());
    assert_eq!(rules.parse(b"d0:l0:ee"), Err(Error::TooManyValues { at: 4, allowed: 3 }));
    assert_eq!(rules.parse(b"l7:abcdefge"), Err(Error::TooLong { found: 11, allowed: 8 }));
    assert_eq!(rules.parse_prefix(b"l7:abcdefge"), Err(Error::TooLong { found: 11, allowed: 8 }));
    assert_eq!(rules.parse_prefix(b"i1exxxxxxxxxx").map(|(_, rest)| rest.len()), Ok(10));
}

#[test]
fn input_over_the_limit_is_refused_before_any_of_it_is_read() {
    let rules = Rules { bytes_max: 8, ..Rules::default() };
    assert!(rules.parse(b"6:abcdef").is_ok());
    for text in ["7:abcdefg", "i1exxxxxx", "xxxxxxxxx", "i00eeeeee"] {
        let expect = Error::TooLong { found: 9, allowed: 8 };
        assert_eq!(rules.parse(text.as_bytes()), Err(expect), "{text}");
    }
}

#[test]
fn prefix_leaves_the_payload() {
    let (head, rest) = parse_prefix(b"d8:msg_typei1eepayload").unwrap();
    assert_eq!(head.lookup("msg_type").and_then(Value::int), Some(1));
    assert_eq!(rest, b"payload");
    assert_eq!(parse(b"i1e\n"), Err(Error::Trailing { at: 3, found: 1 }));
}

#[test]
fn key_order_matters_only_where_asked() {
    let strict = Rules { key_order: KeyOrder::Sorted, ..Rules::default() };
    assert!(strict.parse(b"d1:ai1e1:bi2ee").is_ok());
    for (text, at) in [(&b"d1:bi1e1:ai2ee"[..], 7), (b"d1:ai1e1:ai2ee", 7)] {
        assert_eq!(strict.parse(text), Err(Error::KeyOrder { at }));
    }
    let value = parse(b"d1:bi1e1:ai2e1:bi3ee").unwrap();
    assert_eq!(value.lookup("a").and_then(Value::int), Some(2));
    assert_eq!(value.lookup("b").and_then(Value::int), Some(1));
    assert!(value.dict().is_some_and(|dict| !dict.is_canonical() && dict.len() == 3));
}

#[test]
fn raw_is_what_was_read() {
    let value = parse(b"d4:infod1:xli1e0:e1:zi0eee").unwrap();
    assert_eq!(value.lookup("info").map(Value::raw), Some(&b"d1:xli1e0:e1:zi0ee"[..]));
    let list = value.lookup("info").and_then(|info| info.lookup("x"));
    assert_eq!(list.map(Value::raw), Some(&b"li1e0:e"[..]));
}

#[test]
fn builders_sort_keys() {
    let inner = DictBuilder::new().int("b", 2).bytes("a", "x");
    let list = ListBuilder::new().int(-3).bytes(b"y").list(ListBuilder::new());
    let bytes = DictBuilder::new().list("z", list).dict("m", inner).int("z0", 0).finish();
    assert_eq!(bytes, b"d1:md1:a1:x1:bi2ee1:zli-3e1:ylee2:z0i0ee");
    let strict = Rules { key_order: KeyOrder::Sorted, ..Rules::default() };
    assert!(strict.parse(&bytes).is_ok());
}

/// A tree of any bencode.
#[derive(Clone, Debug)]
enum Tree {
    Int(i64),
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Dict(Vec<(Vec<u8>, Tree)>),
}

impl Tree {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Int(value) => write_int(&mut out, *value),
            Self::Bytes(bytes) => write_bytes(&mut out, bytes),
            Self::List(items) => {
                let add = |list: ListBuilder, item: &Self| list.raw(item.encode());
                out = items.iter().fold(ListBuilder::new(), add).finish();
            }
            Self::Dict(entries) => {
                let add = |dict: DictBuilder, (k, v): &(Vec<u8>, Self)| dict.raw(k, v.encode());
                out = entries.iter().fold(DictBuilder::new(), add).finish();
            }
        }
        out
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..12);
    let leaf = prop_oneof![any::<i64>().prop_map(Tree::Int), bytes().prop_map(Tree::Bytes)];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Tree::List),
            prop::collection::vec((bytes(), inner), 0..8).prop_map(Tree::Dict),
        ]
    })
}

/// Whether bendy reads all of `bytes` as one value.
fn oracle_accepts(bytes: &[u8]) -> bool {
    fn walk(object: bendy::decoding::Object<'_, '_>) -> Result<(), bendy::decoding::Error> {
        use bendy::decoding::Object;
        match object {
            Object::Integer(text) => text.parse::<i64>().map(|_| ()).map_err(Into::into),
            Object::Bytes(_) => Ok(()),
            Object::List(mut list) => {
                while let Some(item) = list.next_object()? {
                    walk(item)?;
                }
                Ok(())
            }
            Object::Dict(mut dict) => {
                while let Some((_, item)) = dict.next_pair()? {
                    walk(item)?;
                }
                Ok(())
            }
        }
    }
    let mut decoder = bendy::decoding::Decoder::new(bytes).with_max_depth(100);
    let read = |decoder: &mut bendy::decoding::Decoder<'_>| match decoder.next_object() {
        Ok(Some(object)) => walk(object).is_ok(),
        Ok(None) | Err(_) => false,
    };
    read(&mut decoder) && matches!(decoder.next_object(), Ok(None))
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_back(tree in trees()) {
        let bytes = tree.encode();
        let strict = Rules { key_order: KeyOrder::Sorted, ..Rules::default() };
        let value = strict.parse(&bytes).expect("own output");
        prop_assert_eq!(value.raw(), &bytes[..]);
        prop_assert!(oracle_accepts(&bytes));
    }

    #[test]
    fn strict_verdict_on_damaged_input_is_the_oracles(
        tree in trees(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        let mut bytes = tree.encode();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len().max(1));
            let byte = b"0123456789:ilde-"[usize::from(byte % 16)];
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        let strict = Rules { key_order: KeyOrder::Sorted, ..Rules::default() };
        prop_assert_eq!(strict.parse(&bytes).is_ok(), oracle_accepts(&bytes));
        let _ = parse_prefix(&bytes);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = parse(&bytes) {
            prop_assert_eq!(value.raw(), &bytes[..]);
        }
    }
}
