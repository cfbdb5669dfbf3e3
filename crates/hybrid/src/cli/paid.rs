//! `seed --price`: encrypts what is shared, keeps its key, and sells that to whoever pays.

use std::fs;
use std::path::{Path, PathBuf};

use headwater_base::{Address, Amount, hex, unhex};
use headwater_client::content::ContentKey;
use headwater_hybrid::log::{self, Format};
use headwater_hybrid::serve::PayPlace;
use headwater_hybrid::shell::{ContentKeys, PayNews, Shell};
use headwater_metainfo::{Sale, Version};
use headwater_objects::Location;
use headwater_pay::Event;
use headwater_tron::amount;
use headwater_tron::chain::{Chain, DEVNET};
use headwater_wire::extended::{ContentId, Rail};
use tracing_subscriber::filter::LevelFilter;

use super::args::{Claims, Seed};
use super::content::{Content, MakeError};
use super::create::{bar, style};
use super::failure::Failure;
use super::folders;
use super::publisher::Publisher;
use super::seed::{self, Made};
use super::sell::{self, Contents, Market, Shop};

/// Folders of the state: keys, which source has which key, and encrypted copies.
const KEYS: &str = "keys";
const SOURCES: &str = "sources";
const COPIES: &str = "content";

/// What is sold, and where all that belongs to it is kept.
pub(crate) struct Paid {
    price: Amount,
    state: PathBuf,
    output: Option<PathBuf>,
    keys: ContentKeys,
    market: Market,
    payee: Address,
    rail: Rail,
    claims: Claims,
}

impl Paid {
    /// Checks what was said of a price; nothing where nothing is sold.
    pub(crate) fn read(
        args: &Seed,
        publisher: Option<&Publisher>,
    ) -> Result<Option<Self>, Failure> {
        let Some(price) = args.price.price else { return Ok(None) };
        let refuse = |code, why: &str| Err(Failure::input(code, why));
        let Some(publisher) = publisher else {
            return refuse("no-payee", "--price needs --payee ADDRESS and --publisher-key FILE");
        };
        let is_url = |path: &PathBuf| path.to_str().is_some_and(Location::is_url);
        if args.paths.iter().any(is_url) {
            return refuse("price", "--price goes with files and folders, not with object stores");
        }
        let claims = args.price.claims.clone();
        if price == Amount(0) || price > claims.max_unsecured {
            let why = "a price above 0 and not above --max-unsecured expected, or nobody can pay";
            return refuse("price", why);
        }
        if publisher.rail().vault == Address([0; 20]) {
            return refuse("no-vault", "name the vault of that chain with --vault ADDRESS");
        }
        let state = args.price.state.clone().or_else(|| Some(folders::state()?.join("seed")));
        let Some(state) = state else {
            return refuse("state-dir", "no home folder is known: name one with --state DIR");
        };
        let market = sell::market(&args.publish.chain, args.peer.proxy.as_deref())?;
        let keys = ContentKeys::open(&state.join(KEYS)).map_err(unusable)?;
        let (payee, rail, output) =
            (publisher.payee(), publisher.rail(), args.price.output.clone());
        Ok(Some(Self { price, state, output, keys, market, payee, rail, claims }))
    }

    /// The torrent of a path's encrypted copy, which is made unless it is there.
    pub(crate) fn make(&self, path: &Path, version: Option<Version>) -> Result<Made, Failure> {
        let content = Content::at(path).map_err(refused)?;
        let key = self.key_of(&content)?;
        let check = key.id();
        let own = self.state.join(COPIES).join(&hex(&check.0)[..16]);
        let folder = self.output.clone().unwrap_or(own);
        let copy = content.copy_in(&folder);
        if copy.exists() {
            if !content.is_encrypted_in(&folder, &key) {
                let why = format!("{}: something else lies there; move it away", copy.display());
                return Err(Failure::input("other-content", why));
            }
        } else {
            let bar = bar(&content.name, content.length());
            bar.set_style(style("encrypting {wide_msg} {bar:24} {bytes}/{total_bytes}"));
            let encrypted = content.encrypt(&folder, &key, |done| bar.set_position(done));
            bar.finish_and_clear();
            encrypted.map_err(refused)?;
        }
        let made = seed::make(&copy, version)?;
        // Keys go by the place of a file, which must be the same for whoever decrypts.
        let copy = Content::at(&copy).map_err(refused)?.for_version(made.torrent.version());
        copy.fits(&made.torrent).map_err(|why| Failure::failed("other-content", why))?;
        Ok(made.sold(Sale { price: self.price, check: check.0 }))
    }

    /// The key of this state of the files: that of an earlier run, or a new one.
    fn key_of(&self, content: &Content) -> Result<ContentKey, Failure> {
        let sources = self.state.join(SOURCES);
        let source = sources.join(hex(&content.fingerprint()));
        let failed = |e: std::io::Error| Failure::file(&source, &e);
        if let Ok(text) = fs::read_to_string(&source) {
            let check = unhex(text.trim()).and_then(|bytes| bytes.try_into().ok()).map(ContentId);
            let check = check.ok_or_else(|| failed(std::io::ErrorKind::InvalidData.into()))?;
            let key = self.keys.read(check).map_err(unusable)?;
            return key.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()));
        }
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|e| Failure::failed("random", e))?;
        let key = ContentKey::from_bytes(random);
        self.keys.keep(&key).map_err(failed)?;
        fs::create_dir_all(&sources).map_err(failed)?;
        let fresh = source.with_extension("new");
        fs::write(&fresh, hex(&key.id().0)).map_err(failed)?;
        fs::rename(&fresh, &source).map_err(failed)?;
        Ok(key)
    }

    /// Sells the keys once the chain's node has told what the vault is.
    pub(crate) async fn sell(
        self,
        shell: &Shell,
        sales: impl Iterator<Item = Sale>,
    ) -> Result<(), Failure> {
        // What is not sold yet, and why, is told there.
        log::start(LevelFilter::WARN, Format::Text).map_err(|e| Failure::failed("log", e))?;
        let prices = sales.map(|sale| (ContentId(sale.check), sale.price)).collect();
        let contents = Contents { prices, keys: Some(self.keys), rail: Some(self.rail) };
        eprintln!("keys and payments are kept in {}", self.state.display());
        let shop = Shop {
            market: self.market,
            payee: self.payee,
            folder: self.state.join(sell::FOLDER),
            claims: self.claims,
            slots: (Amount(0), 0),
            contents,
            place: PayPlace::default(),
        };
        Shop::open(Some(shop), shell).await.map(drop)
    }
}

/// Writes to stderr what happened to money.
pub(crate) fn tell(news: &PayNews) {
    let btt = |amount| format!("{} BTT", amount::text(amount, DEVNET.decimals));
    let account = |rail: &Rail, owner| Chain::show_on(rail.chain, owner);
    let told = match news {
        PayNews::Told(Event::KeySold { rail, owner, amount, .. }) if *amount == Amount(0) => {
            format!("the key was given again to {}", account(rail, *owner))
        }
        PayNews::Told(Event::KeySold { rail, owner, amount, .. }) => {
            format!("the key was sold to {} for {}", account(rail, *owner), btt(*amount))
        }
        PayNews::Told(Event::Claimed { amount }) => format!("claimed {}", btt(*amount)),
        PayNews::Told(Event::Overissued { rail, owner, lost }) => {
            format!("{} promised {} more than it had", account(rail, *owner), btt(*lost))
        }
        PayNews::Told(_) => return,
        PayNews::Unclaimed(why) => format!("warning [claim]: {why}"),
        PayNews::Unknown(why) => format!("warning [node]: {why}"),
        PayNews::Unstored(why) => format!("warning [pay-records]: {why}"),
    };
    eprintln!("{told}");
}

fn refused(error: MakeError) -> Failure {
    Failure::input(error.code(), error)
}

fn unusable(error: headwater_hybrid::shell::KeyFileError) -> Failure {
    Failure::failed("content-key", error)
}
