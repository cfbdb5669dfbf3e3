//! `serve --sell` and `seed --price`: what is sold to whom and for whom, and the wait for the
//! chain's node. A node that is out of reach stops no server.

use std::path::PathBuf;
use std::time::Duration;

use headwater_base::{Address, Amount, Seed, hex};
use headwater_hybrid::proxy::Proxy;
use headwater_hybrid::serve::PayPlace;
use headwater_hybrid::shell::{
    ContentKeys, Node, Purse, Records, Shell, Stopped, open_key, read_records,
};
use headwater_pay::{Input, Selling, limit};
use headwater_tron::amount;
use headwater_tron::chain::{self, Chain};
use headwater_wire::extended::{ContentId, Rail};
use tracing::{error, info, warn};

use super::args::{ChainArgs, ChainName, Claims, Serve};
use super::failure::Failure;
use super::owner;

/// The folder of payments in that of the state.
pub(crate) const FOLDER: &str = "pay";

/// Waits for a node, one after the other and the last one from then on.
const WAITS: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(60)];

/// What a claim costs on chains whose tokens are worthless.
pub(crate) const TEST_FEE: Amount = Amount(1_000_000_000_000_000_000);

/// A node, the chains it may be of, one at least and all spoken to alike, and the vault there.
pub(crate) struct Market {
    pub(crate) node: Node,
    pub(crate) url: String,
    pub(crate) chains: Vec<&'static Chain>,
    pub(crate) vault: Address,
}

/// What is needed to sell.
pub(crate) struct Shop {
    pub(crate) market: Market,
    pub(crate) payee: Address,
    /// Where payments are kept.
    pub(crate) folder: PathBuf,
    pub(crate) claims: Claims,
    /// The least price of a MiB, and how many slots are sold.
    pub(crate) slots: (Amount, u16),
    pub(crate) contents: Contents,
    pub(crate) place: PayPlace,
}

/// Contents whose keys are sold.
#[derive(Default)]
pub(crate) struct Contents {
    /// What they are, and what each costs.
    pub(crate) prices: Vec<(ContentId, Amount)>,
    /// Their keys.
    pub(crate) keys: Option<ContentKeys>,
    /// Where they were said to be paid; elsewhere nobody would pay.
    pub(crate) rail: Option<Rail>,
}

impl Shop {
    /// Checks what was said of selling; nothing where nothing is sold.
    pub(crate) fn read(args: &Serve) -> Result<Option<Self>, Failure> {
        let sell = args.sell.clone();
        if !sell.sell {
            return Ok(None);
        }
        let missing = "--sell needs the account that is paid: --payee ADDRESS";
        let payee = sell.payee.ok_or_else(|| Failure::input("no-payee", missing))?;
        let market = market(&sell.chain, args.peer.proxy.as_deref())?;
        let folder = owner::state_folder(args)?.join(FOLDER);
        let wallet = sell
            .test_wallet
            .as_ref()
            .map(|path| std::fs::read_to_string(path).map_err(|e| Failure::file(path, &e)));
        if wallet.is_some() && market.chains.iter().any(|chain| chain.is_real) {
            let why = "--test-wallet goes with --pay-chain local or nile, where nothing has worth";
            return Err(Failure::input("test-wallet", why));
        }
        let place = PayPlace::with_test_wallet(wallet.transpose()?);
        let (slots, claims) = ((sell.price, sell.sold_slots), sell.claims);
        let contents = Contents::default();
        Ok(Some(Self { market, payee, folder, claims, slots, contents, place }))
    }

    /// Takes up what earlier runs left, and sells once the node has told what the vault is. Answers
    /// where visitors may pay then.
    pub(crate) async fn open(shop: Option<Self>, shell: &Shell) -> Result<PayPlace, Failure> {
        let Some(mut shop) = shop else { return Ok(PayPlace::default()) };
        let damaged = |e| Failure::failed("pay-records", e);
        let records = Records::open(&shop.folder).map_err(damaged)?;
        let restored = read_records(&shop.folder).map_err(damaged)?;
        let key = shop.claims.claim_key.as_deref().map(open_key).transpose();
        let key = key.map_err(|e| Failure::failed("claim-key", e))?;
        if let Some(key) = &key {
            let chain = shop.market.chains[0];
            let (account, coin) = (chain.show(key.address()), chain.coin);
            info!(account, coin, "this account pays the fees of claims, in that coin");
        }
        let may_claim = key.is_some();
        let node = shop.market.node.clone();
        let purse = Purse {
            records,
            restored,
            node,
            claim_key: key,
            session_key: None,
            content_keys: shop.contents.keys.take(),
        };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|e| Failure::failed("random", e))?;
        shell.pay(purse, Seed(seed)).await?.map_err(|e| Failure::failed("pay-records", e))?;
        let place = shop.place.clone();
        tokio::spawn(shop.start(shell.clone(), may_claim));
        Ok(place)
    }

    /// Asks the node until it answers, then sells.
    async fn start(self, shell: Shell, may_claim: bool) -> Result<(), Stopped> {
        let Market { node, url, chains, vault } = &self.market;
        let mut waits = WAITS.into_iter();
        let mut wait = WAITS[0];
        let (rail, chain) = loop {
            match node.rail(chains, *vault).await {
                Ok(known) => break known,
                Err(why) => {
                    let vault = chains[0].show(*vault);
                    warn!(node = url, vault, %why, "nothing is sold yet; the node is asked again");
                    wait = waits.next().unwrap_or(wait);
                    tokio::time::sleep(wait).await;
                    // Nobody sells for a shell that is gone.
                    shell.totals().await?;
                }
            }
        };
        if let Some(said) = self.contents.rail.filter(|said| *said != rail) {
            error!(?said, found = ?rail, "the node is of another chain or vault: nothing is sold");
            return Ok(());
        }
        let selling = self.selling(rail, chain, may_claim);
        self.say(chain, &selling);
        self.place.tell(&rail, chain, url);
        shell
            .client(move |client, now| client.handle_pay(now, Input::SellingOn(Box::new(selling))))
            .await
    }

    fn selling(&self, rail: Rail, chain: &Chain, may_claim: bool) -> Selling {
        let known = self.claims.claim_fee.or((!chain.is_real).then_some(TEST_FEE));
        Selling {
            rails: vec![rail],
            payee: self.payee,
            price: self.slots.0,
            // The engine holds what is sold to half of the slots that it has at that moment.
            slots: 2 * usize::from(self.slots.1),
            paid_slots: usize::from(self.slots.1),
            credit: limit::CREDIT_BYTES_MIN,
            max_unsecured: self.claims.max_unsecured,
            // A fee above all that can be owed is never worth it.
            claim_fee: known.filter(|_| may_claim).unwrap_or(Amount(u128::MAX)),
            claim_factor: self.claims.claim_factor,
            contents: self.contents.prices.clone(),
        }
    }

    fn say(&self, chain: &Chain, selling: &Selling) {
        let (payee, chain_name) = (chain.show(self.payee), chain.name);
        let price = amount::text(Amount(selling.price.0.saturating_mul(1024)), chain.decimals);
        if selling.paid_slots > 0 {
            info!(payee, chain = chain_name, btt_per_gib = price, "upload slots are sold");
        }
        for (content, price) in &selling.contents {
            let (content, btt) = (hex(&content.0), amount::text(*price, chain.decimals));
            let payee = chain.show(self.payee);
            info!(payee, chain = chain_name, content, btt, "the key of a content is sold");
        }
        if !chain.is_real {
            warn!(chain = chain_name, "the tokens of this chain are worthless");
        }
        if selling.claim_fee == Amount(u128::MAX) {
            info!("nothing is claimed by itself; see headwater pay claim and headwater pay export");
        }
    }
}

/// Where money moves, by the flags.
pub(crate) fn market(args: &ChainArgs, proxy: Option<&str>) -> Result<Market, Failure> {
    let proxy = proxy.map(Proxy::read).transpose();
    let proxy = proxy.map_err(|e| Failure::input("proxy", format!("--proxy: {e}")))?;
    let named = args.pay_chain.map(ChainName::chain);
    let chain = named.or(args.pay_node.is_none().then_some(&chain::DEVNET));
    let chains =
        chain.map_or_else(|| vec![&chain::DEVNET, &chain::NILE, &chain::TRON], |c| vec![c]);
    let url = args.pay_node.clone().or_else(|| chain?.rpc.map(str::to_owned));
    let url = url.ok_or_else(|| Failure::input("no-node", "name a node with --pay-node URL"))?;
    let node = Node::new(&url, proxy).map_err(|e| Failure::input("bad-node", e))?;
    let is_local = chain == Some(&chain::DEVNET);
    let vault = args.vault.or_else(|| is_local.then(devnet_vault));
    let missing = "name the vault of that chain with --vault ADDRESS";
    let vault = vault.ok_or_else(|| Failure::input("no-vault", missing))?;
    Ok(Market { node, url, chains, vault })
}

/// Where the vault of every test ledger lies.
fn devnet_vault() -> Address {
    headwater_devnet::genesis::ledger().1.vault
}
