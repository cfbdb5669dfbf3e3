//! Paid content in a page: what the link of a torrent sells, what came of buying its key, and what
//! that opens.

use headwater_base::{hex, unhex};
use headwater_client::content::ContentKey;
use headwater_client::pay::{Event, Wanted, WhyNot};
use headwater_wire::extended::{ContentId, Rail, RefuseCode};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::publication::said;

/// What the link sells, if its publisher signed that for this torrent.
pub(super) fn wanted(magnet: &str) -> Option<Wanted> {
    let said = said(magnet)?;
    let sale = said.sale?;
    let rail = Rail { chain: said.chain, vault: said.vault, token: said.token };
    Some(Wanted { content: ContentId(sale.check), price: sale.price, payee: said.payee, rail })
}

/// What an event says of a content's key: that it came, or why not.
pub(super) fn news(event: &Event) -> Option<(ContentId, Option<WhyNot>)> {
    if let Event::KeyCame { content } = event {
        return Some((*content, None));
    }
    if let Event::NotBought { content, why } = event {
        return Some((*content, Some(*why)));
    }
    None
}

/// The code and the words for why a key was not bought.
pub(super) fn refusal(why: WhyNot) -> (&'static str, &'static str) {
    match why {
        WhyNot::Off => ("nothing-granted", "paying is off, or the grant ran out; grant anew"),
        WhyNot::Rail => ("other-vault", "it is paid through another vault than the granted one"),
        WhyNot::Cap => ("cap-too-low", "what is left of the grant is less than the price"),
        WhyNot::Busy => ("purchase-busy", "too many keys are being bought; wait for one of them"),
        WhyNot::Denied(RefuseCode::NoFunds) => {
            ("no-funds", "the vault holds too little that is not promised or on its way out")
        }
        WhyNot::Denied(_) => ("sale-denied", "the publisher does not sell it on these terms"),
        WhyNot::Silent => {
            ("no-publisher", "nobody who sells it answered; tried again, the same promise buys it")
        }
        WhyNot::WrongKey => ("wrong-key", "what the publisher sent does not open it"),
        WhyNot::Job(_) => ("not-signed", "the session could not sign"),
    }
}

/// By what the key of the content is known that the link of a torrent sells, in hex; nothing where
/// it sells none, or its publisher did not sign that for this torrent.
#[wasm_bindgen(js_name = contentOf)]
pub fn content_of(magnet: &str) -> Option<String> {
    wanted(magnet).map(|wanted| hex(&wanted.content.0))
}

/// A content whose key is here.
#[wasm_bindgen]
pub struct OpenContent(ContentKey);

#[wasm_bindgen]
impl OpenContent {
    /// Takes a key that was kept; nothing where it is not the one that is known by `check`.
    pub fn by(check: &str, key: &[u8]) -> Option<OpenContent> {
        let key = ContentKey::from_bytes(key.try_into().ok()?);
        (unhex(check)? == key.id().0).then_some(Self(key))
    }

    /// Decrypts in place what begins at byte `offset` of a file, which is counted without padding.
    pub fn decrypt(&self, file: f64, offset: f64, bytes: &mut [u8]) {
        self.0.file(file as u64).apply(offset as u64, bytes);
    }
}

#[cfg(test)]
mod tests {
    use headwater_base::{Address, Amount};
    use headwater_client::publication::{PublicationTerms, publish};
    use headwater_metainfo::{Magnet, Sale};
    use headwater_tron::key::SecretKey;

    use super::*;

    fn link(sale: Option<Sale>) -> Magnet {
        let rail = Rail { chain: 3, vault: Address([4; 20]), token: Address([5; 20]) };
        let terms = PublicationTerms { rail, payee: Address([6; 20]), tip: None, sale };
        let mut magnet = Magnet::new(headwater_base::InfoHash([1; 20]));
        let key = SecretKey::from_bytes(&[7; 32]).unwrap();
        magnet.publication = Some(publish(&key, &terms, &(&magnet).into()));
        magnet
    }

    #[test]
    fn what_a_link_sells_is_what_its_publisher_signed() {
        let sale = Sale { price: Amount(9), check: [8; 32] };
        let magnet = link(Some(sale));
        let found = wanted(&magnet.to_string()).unwrap();
        assert_eq!(
            (found.price, found.content, found.payee),
            (sale.price, ContentId(sale.check), Address([6; 20]))
        );
        assert_eq!(content_of(&magnet.to_string()), Some(hex(&[8; 32])));
        let other = Magnet { info_hash: headwater_base::InfoHash([2; 20]), ..magnet };
        assert_eq!(content_of(&other.to_string()), None, "signed for another torrent");
        assert_eq!(content_of(&link(None).to_string()), None);
        assert_eq!(content_of("magnet:"), None);
    }

    #[test]
    fn only_the_key_that_is_known_by_it_opens_a_content() {
        let key = ContentKey::from_bytes([3; 32]);
        let check = hex(&key.id().0);
        let open = OpenContent::by(&check, &[3; 32]).unwrap();
        assert!(OpenContent::by(&check, &[4; 32]).is_none());
        assert!(OpenContent::by(&check, &[3; 31]).is_none());
        assert!(OpenContent::by("", &[3; 32]).is_none());
        let (mut whole, mut part) = ([5; 200], [5; 100]);
        key.file(2).apply(0, &mut whole);
        open.decrypt(2.0, 100.0, &mut part);
        assert_eq!(part, whole[100..]);
    }
}
