//! The Diffie-Hellman exchange of MSE: a fixed 768-bit prime, generator 2.

use std::io;

use crypto_bigint::modular::ConstMontyForm;
use crypto_bigint::{NonZero, U192, U768, const_monty_params};

/// Bytes of a public key and of the shared secret.
pub(super) const KEY_BYTES: usize = 96;

/// Bits of a private key: the form says that more than 160 bring nothing.
const SECRET_BITS: u32 = 160;

const PRIME: U768 = U768::from_be_hex(PRIME_HEX);
const PRIME_HEX: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
    020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
    4FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563";

const_monty_params!(Prime, U768, PRIME_HEX);

type Residue = ConstMontyForm<Prime, { U768::LIMBS }>;

/// One side's private key.
pub(super) struct Secret(U192);

impl Secret {
    /// A new one, of the system's entropy.
    pub(super) fn random() -> io::Result<Self> {
        let mut bytes = [0; U192::BYTES];
        let secret = &mut bytes[..SECRET_BITS as usize / 8];
        getrandom::fill(secret).map_err(io::Error::other)?;
        Ok(Self(U192::from_le_slice(&bytes)))
    }

    /// What the other side is sent.
    pub(super) fn public(&self) -> [u8; KEY_BYTES] {
        bytes(&self.raised(&U768::from_u8(2)))
    }

    /// What both sides know in the end. Keys that make it known to everybody are refused.
    pub(super) fn shared(&self, theirs: &[u8; KEY_BYTES]) -> io::Result<[u8; KEY_BYTES]> {
        let theirs = U768::from_be_slice(theirs).rem(&NonZero::<U768>::new_unwrap(PRIME));
        let most = PRIME.wrapping_sub(&U768::ONE);
        if theirs <= U768::ONE || theirs == most {
            return Err(super::broken("the other side's key is worth nothing"));
        }
        Ok(bytes(&self.raised(&theirs)))
    }

    fn raised(&self, base: &U768) -> U768 {
        Residue::new(base).pow_bounded_exp(&self.0, SECRET_BITS).retrieve()
    }
}

fn bytes(number: &U768) -> [u8; KEY_BYTES] {
    let mut out = [0; KEY_BYTES];
    out.copy_from_slice(number.to_be_bytes().as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_come_to_the_same_secret() {
        let (a, b) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_eq!(a.shared(&b.public()).unwrap(), b.shared(&a.public()).unwrap());
        assert_ne!(a.public(), b.public());
    }

    #[test]
    fn keys_that_give_the_secret_away_are_refused() {
        let secret = Secret::random().unwrap();
        let minus_one = PRIME.wrapping_sub(&U768::ONE);
        for weak in [U768::ZERO, U768::ONE, minus_one, PRIME, PRIME.wrapping_add(&U768::ONE)] {
            assert!(secret.shared(&bytes(&weak)).is_err());
        }
    }

    #[test]
    fn small_powers_are_what_they_should_be() {
        let five = Secret(U192::from_u8(5));
        assert_eq!(five.public()[KEY_BYTES - 2..], [0, 32]);
        assert_eq!(five.shared(&bytes(&U768::from_u8(3))).unwrap()[KEY_BYTES - 2..], [0, 243]);
    }
}
