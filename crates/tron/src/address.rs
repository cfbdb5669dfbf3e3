//! Addresses as text: base58 with a checksum (`T…`), TRON's hex (`41…`) and Ethereum's (`0x…`).
//! Knows nothing of which chain an address lives on: the 20 bytes are the same on all of them.

use headwater_base::{Address, hex, sha256, unhex};

/// The byte that TRON puts before the 20 of an address.
pub const PREFIX: u8 = 0x41;

const BASE58_CHARS: usize = 34;
const CHECKED_BYTES: usize = 25;

/// Text that names no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No form of an address has so many characters.
    #[error("address of {found} characters, 34 (T…), 42 (41… or 0x…) or 40 needed")]
    Length {
        /// How many there are.
        found: usize,
    },
    /// A character that is not of base58.
    #[error("address has a character at {at} that base58 has not")]
    Base58 {
        /// Where it stands.
        at: usize,
    },
    /// Base58 of too many or too few bytes.
    #[error("address of {found} bytes with its checksum, 25 needed")]
    Bytes {
        /// How many there are.
        found: usize,
    },
    /// The checksum is that of another address: something was mistyped.
    #[error("address has checksum {found:08x}, its bytes have {needed:08x}")]
    Checksum {
        /// What the text says.
        found: u32,
        /// What follows from the bytes.
        needed: u32,
    },
    /// The address belongs to another network.
    #[error("address has prefix {found:#04x}, 0x41 needed")]
    Prefix {
        /// Its first byte.
        found: u8,
    },
    /// A character that is no hex digit.
    #[error("address has a character that is no hex digit")]
    Hex,
    /// An address as bytes that is neither 20 nor 21 long.
    #[error("address of {found} bytes, 20 or 21 needed")]
    Raw {
        /// How many there are.
        found: usize,
    },
}

/// The address as TRON shows it: 34 characters that begin with `T`.
pub fn to_base58(address: Address) -> String {
    let raw = to_raw(address);
    let mut checked = [0; CHECKED_BYTES];
    checked[..21].copy_from_slice(&raw);
    checked[21..].copy_from_slice(&checksum(&raw).to_be_bytes());
    bs58::encode(checked).into_string()
}

/// The address as a node's JSON shows it: `41` and 40 lower-case digits.
pub fn to_hex(address: Address) -> String {
    hex(&to_raw(address))
}

/// The address as BTTC shows it: `0x` and 40 lower-case digits.
pub fn to_evm(address: Address) -> String {
    format!("0x{}", hex(&address.0))
}

/// The 21 bytes of the address inside a transaction.
pub fn to_raw(address: Address) -> [u8; 21] {
    let mut raw = [PREFIX; 21];
    raw[1..].copy_from_slice(&address.0);
    raw
}

/// Reads 21 bytes of a transaction, or 20 of a log entry.
pub fn from_raw(raw: &[u8]) -> Result<Address, AddressError> {
    match raw {
        [PREFIX, rest @ ..] if rest.len() == 20 => from_20(rest),
        [found, rest @ ..] if rest.len() == 20 => Err(AddressError::Prefix { found: *found }),
        _ => from_20(raw),
    }
}

/// Reads any of the three forms of text.
pub fn parse(text: &str) -> Result<Address, AddressError> {
    let found = text.len();
    match found {
        BASE58_CHARS => parse_base58(text),
        40 => from_20(&unhex(text).ok_or(AddressError::Hex)?),
        42 => match text.strip_prefix("0x") {
            Some(digits) => from_20(&unhex(digits).ok_or(AddressError::Hex)?),
            None => from_raw(&unhex(text).ok_or(AddressError::Hex)?),
        },
        _ => Err(AddressError::Length { found }),
    }
}

fn parse_base58(text: &str) -> Result<Address, AddressError> {
    let mut bytes = [0; BASE58_CHARS];
    let found = bs58::decode(text).onto(&mut bytes[..]).map_err(|error| base58_error(&error))?;
    let (raw, said) = match bytes[..found].split_last_chunk::<4>() {
        Some((raw, said)) if found == CHECKED_BYTES => (raw, u32::from_be_bytes(*said)),
        _ => return Err(AddressError::Bytes { found }),
    };
    let needed = checksum(raw);
    if said != needed {
        return Err(AddressError::Checksum { found: said, needed });
    }
    from_raw(raw)
}

fn base58_error(error: &bs58::decode::Error) -> AddressError {
    use bs58::decode::Error::{InvalidCharacter, NonAsciiCharacter};

    // The buffer holds whatever 34 characters say, so no other error comes up.
    if let InvalidCharacter { index: at, .. } | NonAsciiCharacter { index: at } = error {
        return AddressError::Base58 { at: *at };
    }
    AddressError::Bytes { found: BASE58_CHARS }
}

fn from_20(bytes: &[u8]) -> Result<Address, AddressError> {
    let known = <[u8; 20]>::try_from(bytes);
    Ok(Address(known.map_err(|_| AddressError::Raw { found: bytes.len() })?))
}

/// The first four bytes of SHA-256 of SHA-256.
fn checksum(raw: &[u8]) -> u32 {
    let digest = sha256(&sha256(raw));
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The token contract of BTT on TRON.
    const BTT: &str = "TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4";

    #[test]
    fn all_forms_name_the_same_address() {
        let address = parse(BTT).expect("a known address");
        for text in [to_base58(address), to_hex(address), to_evm(address), hex(&address.0)] {
            assert_eq!(parse(&text), Ok(address), "{text}");
        }
        assert_eq!(to_base58(address), BTT);
        assert_eq!(to_hex(address), "41032017411f4663b317fe77c257d28d5cd1b26e3d");
    }

    #[test]
    fn hex_digits_of_either_case_are_read() {
        let text = to_hex(parse(BTT).expect("a known address"));
        assert_eq!(parse(&text.to_uppercase()), parse(BTT));
    }

    #[test]
    fn every_mistyped_character_is_noticed() {
        for at in 0..BTT.len() {
            for other in ["1", "z", "0", "é"] {
                let mut text = BTT.to_owned();
                text.replace_range(at..=at, other);
                assert!(text == BTT || parse(&text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let long = "T".repeat(10_000);
        assert_eq!(parse(&long), Err(AddressError::Length { found: 10_000 }));
        assert_eq!(parse(""), Err(AddressError::Length { found: 0 }));
        let zero = BTT.replacen('j', "0", 1);
        assert_eq!(parse(&zero), Err(AddressError::Base58 { at: 3 }));
        assert_eq!(parse(&"1".repeat(34)), Err(AddressError::Bytes { found: 34 }));
        let foreign = format!("a0{}", "44".repeat(20));
        assert_eq!(parse(&foreign), Err(AddressError::Prefix { found: 0xa0 }));
        assert_eq!(parse(&format!("0x{}", "zz".repeat(20))), Err(AddressError::Hex));
        assert_eq!(from_raw(&[PREFIX; 22]), Err(AddressError::Raw { found: 22 }));
    }

    #[test]
    fn checksum_of_another_address_is_refused() {
        let mut text = BTT.to_owned();
        text.replace_range(33..34, "5");
        assert!(matches!(parse(&text), Err(AddressError::Checksum { .. })));
    }
}
