//! Whether what a torrent says of its publisher is signed, and for this torrent; and signing it.

use headwater_base::{Address, Amount, Digest256, InfoHash};
use headwater_metainfo::{
    Magnet, Publication, PublicationError, RawPublication, Sale, Torrent, Version,
};
use headwater_tron::key::{self, SecretKey, SignatureError};
use headwater_tron::typed;
use headwater_wire::extended::Rail;

/// Both names of a torrent; one that it does not have is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoHashes {
    /// SHA-1 of its info dictionary.
    pub v1: Option<InfoHash>,
    /// SHA-256 of its info dictionary.
    pub v2: Option<Digest256>,
}

/// What a publisher says of a torrent before it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicationTerms {
    /// Where tips and prices are paid; of tips alone the vault may be zeros.
    pub rail: Rail,
    /// The account that they go to.
    pub payee: Address,
    /// The tip that is suggested.
    pub tip: Option<Amount>,
    /// What the content costs, where it is paid for.
    pub sale: Option<Sale>,
}

/// Why what a torrent says of its publisher counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicationFault {
    /// It does not say what it must.
    #[error(transparent)]
    Form(#[from] PublicationError),
    /// The publisher it names did not sign it, or signed it for another torrent.
    #[error("the publisher did not sign this for this torrent: {0}")]
    Signature(#[from] SignatureError),
}

impl From<&Torrent> for InfoHashes {
    fn from(torrent: &Torrent) -> Self {
        let v1 = (torrent.version() != Version::V2).then_some(torrent.info_hash);
        Self { v1, v2: torrent.info_hash_v2 }
    }
}

impl From<&Magnet> for InfoHashes {
    fn from(magnet: &Magnet) -> Self {
        let v1 = (!magnet.is_v2_only()).then_some(magnet.info_hash);
        Self { v1, v2: magnet.info_hash_v2 }
    }
}

/// What a torrent says of its publisher, once it is found that the publisher signed it for this
/// torrent. A link that names one hash of a hybrid proves nothing; its metadata names both.
pub fn verified(
    raw: &RawPublication,
    torrent: &InfoHashes,
) -> Result<Publication, PublicationFault> {
    let said = raw.publication()?;
    let Publication { chain, vault, token, payee, publisher, tip, sale, sig } = said;
    let terms = PublicationTerms { rail: Rail { chain, vault, token }, payee, tip, sale };
    key::check(&digest(&terms, torrent), &sig, publisher)?;
    Ok(said)
}

/// Signs for a torrent with the publisher's key.
pub fn publish(key: &SecretKey, terms: &PublicationTerms, torrent: &InfoHashes) -> RawPublication {
    let PublicationTerms { rail, payee, tip, sale } = *terms;
    let Rail { chain, vault, token } = rail;
    let (publisher, sig) = (key.address(), key.sign(&digest(terms, torrent)));
    let said = Publication { chain, vault, token, payee, publisher, tip, sale, sig };
    RawPublication::from(&said)
}

fn digest(terms: &PublicationTerms, torrent: &InfoHashes) -> Digest256 {
    let PublicationTerms { rail, payee, tip, sale } = *terms;
    let signed = typed::Publication {
        v1: torrent.v1.map_or([0; 20], |hash| hash.0),
        v2: torrent.v2.unwrap_or([0; 32]),
        payee,
        token: rail.token,
        tip: tip.unwrap_or_default(),
        price: sale.map_or(Amount(0), |sale| sale.price),
        check: sale.map_or([0; 32], |sale| sale.check),
    };
    signed.digest(&crate::chain::domain(&rail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_base::{ByteCount, Signature};
    use headwater_metainfo::create::{Draft, Options};

    fn key() -> SecretKey {
        SecretKey::from_bytes(&[7; 32]).unwrap()
    }

    fn torrent(version: Version, name: &str) -> Torrent {
        let options = Options { version, ..Options::default() };
        let mut draft = Draft::single(name, ByteCount(3), options).unwrap();
        draft.feed(b"abc").unwrap();
        draft.finish().unwrap()
    }

    fn terms() -> PublicationTerms {
        PublicationTerms {
            rail: Rail { chain: 199, vault: Address([4; 20]), token: Address([5; 20]) },
            payee: Address([6; 20]),
            tip: Some(Amount(9)),
            sale: Some(Sale { price: Amount(1 << 80), check: [8; 32] }),
        }
    }

    #[test]
    fn what_is_signed_for_a_torrent_holds_in_its_file_and_its_link() {
        let tip = PublicationTerms { sale: None, ..terms() };
        let nothing = PublicationTerms { tip: None, ..tip };
        for version in [Version::V1, Version::V2, Version::Hybrid] {
            for terms in [terms(), tip, nothing] {
                let mut torrent = torrent(version, "film");
                torrent.publication = Some(publish(&key(), &terms, &(&torrent).into()));
                let torrent = Torrent::parse(&torrent.to_bytes()).unwrap();
                let said = verified(torrent.publication.as_ref().unwrap(), &(&torrent).into());
                let said = said.unwrap();
                assert_eq!((said.publisher, said.payee), (key().address(), terms.payee));
                assert_eq!((said.tip, said.sale), (terms.tip, terms.sale));
                let link = Magnet::parse(&torrent.magnet().to_string()).unwrap();
                let read = verified(link.publication.as_ref().unwrap(), &(&link).into());
                assert_eq!(read, Ok(said));
            }
        }
    }

    #[test]
    fn moved_to_another_torrent_it_is_worthless() {
        let signed = torrent(Version::Hybrid, "film");
        let raw = publish(&key(), &terms(), &(&signed).into());
        let own = InfoHashes::from(&signed);
        for other in [
            InfoHashes::from(&torrent(Version::Hybrid, "other")),
            InfoHashes { v2: None, ..own },
            InfoHashes { v1: None, ..own },
            InfoHashes { v2: Some([1; 32]), ..own },
        ] {
            let found = verified(&raw, &other);
            assert!(matches!(found, Err(PublicationFault::Signature(_))), "{found:?}");
        }
    }

    #[test]
    fn any_word_changed_afterwards_makes_it_worthless() {
        let torrent = InfoHashes::from(&torrent(Version::V1, "film"));
        let said = publish(&key(), &terms(), &torrent).publication().unwrap();
        let other = Address([1; 20]);
        for changed in [
            Publication { chain: 1, ..said },
            Publication { vault: other, ..said },
            Publication { token: other, ..said },
            Publication { payee: other, ..said },
            Publication { publisher: other, ..said },
            Publication { tip: None, ..said },
            Publication { tip: Some(Amount(10)), ..said },
            Publication { sale: None, ..said },
            Publication { sale: Some(Sale { price: Amount(1), check: [8; 32] }), ..said },
            Publication { sale: Some(Sale { price: Amount(1 << 80), check: [0; 32] }), ..said },
        ] {
            let found = verified(&RawPublication::from(&changed), &torrent);
            assert!(matches!(found, Err(PublicationFault::Signature(_))), "{changed:?}");
        }
    }

    #[test]
    fn second_form_of_a_signature_is_refused() {
        let torrent = InfoHashes::from(&torrent(Version::V1, "film"));
        let said = publish(&key(), &terms(), &torrent).publication().unwrap();
        let Signature(mut bytes) = said.sig;
        // The order of the curve minus `s`, with the other `v`: the same point.
        let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        let order = headwater_base::unhex(order).unwrap();
        let mut borrow = 0;
        for at in (0..32).rev() {
            let less = i32::from(order[at]) - i32::from(bytes[32 + at]) - borrow;
            borrow = i32::from(less < 0);
            bytes[32 + at] = less.rem_euclid(256) as u8;
        }
        bytes[64] = 55 - bytes[64];
        let high = RawPublication::from(&Publication { sig: Signature(bytes), ..said });
        let found = verified(&high, &torrent);
        assert_eq!(found, Err(PublicationFault::Signature(SignatureError::HighS)));
        let form = RawPublication::read(b"de").unwrap();
        assert!(matches!(verified(&form, &torrent), Err(PublicationFault::Form(_))));
    }
}
