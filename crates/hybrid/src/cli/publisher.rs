//! What torrents say of their publisher: signed by `create` and `seed`, told by `show`.

use headwater_base::{Address, Amount, hex};
use headwater_client::chain::SecretKey;
use headwater_client::publication::{
    InfoHashes, PublicationFault, PublicationTerms, publish, verified,
};
use headwater_hybrid::shell::open_key;
use headwater_metainfo::{Publication, RawPublication, Sale, Torrent};
use headwater_tron::address::to_base58;
use headwater_tron::amount;
use headwater_tron::chain::{Chain, DEVNET, Token};
use headwater_wire::extended::Rail;
use serde_json::{Value, json};

use super::args::{ChainArgs, ChainName, Publish};
use super::failure::Failure;
use super::sell::market;

/// A publisher that signs what it says.
pub(crate) struct Publisher {
    key: SecretKey,
    terms: PublicationTerms,
}

impl Publisher {
    /// Checks what was said of the publisher; nothing where nothing was.
    pub(crate) async fn read(args: &Publish, proxy: Option<&str>) -> Result<Option<Self>, Failure> {
        let Publish { tip, payee, publisher_key, chain } = args;
        if tip.is_none() && payee.is_none() && publisher_key.is_none() {
            return Ok(None);
        }
        let missing = "say who gets the tips: --payee ADDRESS";
        let payee = payee.ok_or_else(|| Failure::input("no-payee", missing))?;
        let missing = "say which key signs: --publisher-key FILE, which is made if it is not there";
        let path = publisher_key.as_deref();
        let path = path.ok_or_else(|| Failure::input("no-publisher-key", missing))?;
        let rail = rail(chain, proxy).await?;
        let key = open_key(path).map_err(|e| Failure::failed("publisher-key", e))?;
        let tip = tip.filter(|tip| *tip > Amount(0));
        let terms = PublicationTerms { rail, payee, tip, sale: None };
        if Chain::by_id(rail.chain).is_some_and(|chain| !chain.is_real) {
            eprintln!("warning [test-chain]: the tokens of this chain are worthless");
        }
        Ok(Some(Self { key, terms }))
    }

    /// Has a torrent say it, signed for that torrent alone, and what its content costs.
    pub(crate) fn sign(&self, torrent: &mut Torrent, sale: Option<Sale>) {
        let names = InfoHashes::from(&*torrent);
        let terms = PublicationTerms { sale, ..self.terms };
        torrent.publication = Some(publish(&self.key, &terms, &names));
    }

    /// Where tips and prices are paid.
    pub(crate) fn rail(&self) -> Rail {
        self.terms.rail
    }

    /// The account that they go to.
    pub(crate) fn payee(&self) -> Address {
        self.terms.payee
    }
}

/// Where tips are paid. Where chain and token are known no node is asked; for tips alone there
/// need be no vault.
async fn rail(args: &ChainArgs, proxy: Option<&str>) -> Result<Rail, Failure> {
    let named = args.pay_chain.map(ChainName::chain);
    let chain = named.or(args.pay_node.is_none().then_some(&DEVNET));
    let given = args.vault.unwrap_or(Address([0; 20]));
    let known = chain.and_then(|chain| match chain.token {
        Token::Contract(token) => Some(Rail { chain: chain.id, vault: given, token }),
        Token::Native => Some(Rail { chain: chain.id, vault: given, token: Address([0; 20]) }),
        Token::Local if chain == &DEVNET && args.vault.is_none() => {
            let places = headwater_devnet::genesis::ledger().1;
            Some(Rail { chain: chain.id, vault: places.vault, token: places.btt })
        }
        Token::Local => None,
    });
    match known {
        Some(rail) => Ok(rail),
        None => {
            let market = market(args, proxy)?;
            let asked = market.node.rail(&market.chains, market.vault).await;
            let unknown = |e| Failure::failed("no-rail", format!("{}: {e}", market.url));
            asked.map(|(rail, _)| rail).map_err(unknown)
        }
    }
}

/// What is told of a publisher, found to be true or not.
pub(crate) struct Told(Result<Publication, PublicationFault>);

impl Told {
    /// Finds out whether what is said holds for the torrent.
    pub(crate) fn of(raw: &RawPublication, torrent: &InfoHashes) -> Self {
        Self(verified(raw, torrent))
    }

    /// What the key of the content costs, where it is encrypted.
    pub(crate) fn price(&self) -> Option<String> {
        let said = self.0.as_ref().ok()?;
        said.sale.map(|sale| sum(said.chain, sale.price))
    }

    /// As JSON. What nobody signed tells of no account, so that nobody pays to it.
    pub(crate) fn json(&self) -> Value {
        match &self.0 {
            Ok(said) => json!({
                "valid": true,
                "publisher": account(said, said.publisher),
                "payee": account(said, said.payee),
                "chain_id": said.chain,
                "vault": account(said, said.vault),
                "token": account(said, said.token),
                "tip": said.tip.map(|tip| tip.0.to_string()),
                "price": said.sale.map(|sale| sale.price.0.to_string()),
                "check": said.sale.map(|sale| hex(&sale.check)),
            }),
            Err(fault) => json!({ "valid": false, "error": fault.to_string() }),
        }
    }

    /// As lines for a person.
    pub(crate) fn lines(&self) -> Vec<String> {
        let said = match &self.0 {
            Ok(said) => said,
            Err(fault) => return vec![format!("publisher     not proven: {fault}")],
        };
        let mut lines = vec![
            format!("publisher     {} (signed)", account(said, said.publisher)),
            format!("payee         {} on {}", account(said, said.payee), chain_name(said.chain)),
        ];
        lines.extend(said.tip.map(|tip| format!("tip           {}", sum(said.chain, tip))));
        let price = said.sale.map(|sale| sum(said.chain, sale.price));
        lines.extend(price.map(|price| format!("price         {price}")));
        lines
    }
}

fn account(said: &Publication, account: Address) -> String {
    Chain::by_id(said.chain).map_or_else(|| to_base58(account), |chain| chain.show(account))
}

fn chain_name(id: u64) -> String {
    Chain::by_id(id).map_or_else(|| format!("chain {id}"), |chain| chain.name.to_owned())
}

fn sum(chain: u64, sum: Amount) -> String {
    match Chain::by_id(chain) {
        Some(chain) => format!("{} {}", amount::text(sum, chain.decimals), chain.symbol),
        None => format!("{} base units", sum.0),
    }
}
