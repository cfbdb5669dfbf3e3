//! A test ledger, and peers on it that can be killed like a process: each has threads of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use headwater_base::{Address, Amount, ByteCount, PeerId, Seed, TorrentId, UnixTime, unhex};
use headwater_client::chain::{Request, SecretKey, domain, typed_grant};
use headwater_client::{AddOptions, Config};
use headwater_devnet::genesis;
use headwater_devnet::server::{Options, Server};
use headwater_hybrid::filter::IpFilter;
use headwater_hybrid::shell::{
    BoundFinders, ContentKeys, News, Node, OwnedSource, PayNews, Place, Purse, Records, Shell,
    read_records,
};
use headwater_hybrid::store::Opening;
use headwater_hybrid::transport::{Bound, Net, RtcConfig, StreamConfig};
use headwater_metainfo::Version;
use headwater_metainfo::create::{self, Draft};
use headwater_pay::{Buying, Event, Input, PayView, Record, Selling};
use headwater_tron::abi::{token, vault};
use headwater_tron::chain::DEVNET;
use headwater_tron::node::{self, Called, path};
use headwater_tron::{address, keccak256};
use headwater_wire::extended::{Grant, Rail};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::broadcast::Receiver;

/// Who has the deposit, and who pays the fees of claims: accounts that the ledger begins with.
const OWNER: u8 = 0;
const FEES: u8 = 1;
/// A byte costs a thousand base units, so that no sum is rounded.
pub(crate) const PRICE: Amount = Amount(1_000 << 20);
/// What a byte costs.
pub(crate) const BYTE: u128 = PRICE.0 >> 20;
/// What the owner has in the vault.
pub(crate) const DEPOSIT: Amount = Amount(1 << 66);
/// Longest wait for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(45);

pub(crate) fn payee() -> Address {
    Address([0x33; 20])
}

pub(crate) fn session_key() -> SecretKey {
    SecretKey::from_bytes(&[0x22; 32]).expect("a key")
}

/// A folder of its own, gone with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("headwater-pay-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads")
}

/// A ledger that runs, with a deposit in its vault.
pub(crate) struct Ledger {
    runtime: Runtime,
    pub(crate) url: String,
    pub(crate) rail: Rail,
}

impl Ledger {
    pub(crate) fn start() -> Self {
        let runtime = threads();
        let options = Options { listen: (Ipv4Addr::LOCALHOST, 0).into(), file: None };
        let server = runtime.block_on(Server::bind(&options)).expect("a ledger");
        let url = format!("http://{}", server.address);
        let rail = Rail { chain: DEVNET.id, vault: server.vault, token: server.btt };
        runtime.spawn(server.run());
        let ledger = Self { runtime, url, rail };
        ledger.call(&genesis::account_key(OWNER), rail.token, token::approve(rail.vault, DEPOSIT));
        ledger.call(&genesis::account_key(OWNER), rail.vault, vault::deposit(DEPOSIT));
        ledger
    }

    pub(crate) fn node(&self) -> Node {
        Node::new(&self.url, None).expect("a node")
    }

    fn ask(&self, request: &Request) -> Vec<u8> {
        self.runtime.block_on(self.node().ask(request)).expect("an answer")
    }

    /// Calls a contract from an account, and pays for it.
    fn call(&self, key: &SecretKey, contract: Address, data: Vec<u8>) {
        let asked = Request::call(path::TRIGGER, key.address(), contract, data);
        let body = asked.body.replacen('{', "{\"fee_limit\":1000000000,", 1);
        let built = self.ask(&Request { path: path::TRIGGER, body });
        let built = node::unsigned(&built).expect("a transaction").raw;
        let signed = built.sign(key).expect("a form");
        let id = signed.id().expect("a form");
        let answer = self.ask(&Request::broadcast(&signed).expect("a form"));
        assert_eq!(node::broadcast(&answer, id), Ok(node::Broadcast::Pooled));
        let receipt = self.ask(&Request::receipt(path::RECEIPT, id));
        let receipt = node::receipt(&receipt, id).expect("an answer").expect("a block");
        assert_eq!(receipt.outcome, node::Outcome::Done);
    }

    /// Calls a contract by a function's name and its arguments, as tronweb does.
    pub(crate) fn submit(&self, contract: &str, function: &str, parameter: &str) {
        let contract = address::parse(contract).expect("an address");
        let selector = &keccak256(&[function.as_bytes()])[..4];
        let arguments = unhex(parameter).expect("hex");
        self.call(&genesis::account_key(FEES), contract, [selector, &arguments].concat());
    }

    /// What the vault has paid to the payee in a session.
    pub(crate) fn claimed(&self, grant: &Grant) -> Amount {
        let call = vault::claimed(typed_grant(grant).session(), payee());
        let asked = Request::call(path::CONSTANT, payee(), self.rail.vault, call);
        let Ok(Called::Returned { data, .. }) = node::called(&self.ask(&asked)) else {
            panic!("no answer")
        };
        vault::read_amount(&data).expect("an amount")
    }

    /// A session of the owner, as its wallet grants it.
    pub(crate) fn buying(&self) -> Buying {
        let key = genesis::account_key(OWNER);
        // No test runs for an hour, and grants may run for a day.
        let expiry = UnixTime(today().0 + 3_600);
        let (owner, session) = (key.address(), session_key().address());
        let grant = Grant { owner, key: session, cap: DEPOSIT, expiry, salt: [7; 32] };
        let grant_sig = key.sign(&typed_grant(&grant).digest(&domain(&self.rail)));
        Buying {
            rail: self.rail,
            grant,
            grant_sig,
            price_max: Amount(PRICE.0 * 2),
            link_cap: DEPOSIT,
            session_cap: DEPOSIT,
        }
    }

    /// A later session of the same owner.
    pub(crate) fn another_session(&self) -> Buying {
        let (first, key) = (self.buying(), genesis::account_key(OWNER));
        let grant = Grant { salt: [8; 32], ..first.grant };
        let grant_sig = key.sign(&typed_grant(&grant).digest(&domain(&self.rail)));
        Buying { grant, grant_sig, ..first }
    }

    pub(crate) fn selling(&self) -> Selling {
        Selling {
            rails: vec![self.rail],
            payee: payee(),
            price: PRICE,
            slots: 4,
            paid_slots: 2,
            credit: headwater_pay::limit::CREDIT_BYTES_MIN,
            max_unsecured: DEPOSIT,
            // Nothing here is worth so many fees: it is claimed when the test says so.
            claim_fee: Amount(1_000),
            claim_factor: u32::MAX,
            contents: Vec::new(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a grant ends at a date")]
fn today() -> UnixTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    UnixTime(since.expect("after 1970").as_secs())
}

/// A torrent of so many random bytes, which lie in `folder`.
pub(crate) fn film(folder: &Path, len: usize) -> OwnedSource {
    let mut bytes = vec![0; len];
    Seed([9; 32]).split("film").fill(&mut bytes);
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("film.bin"), &bytes).expect("a write");
    let options = create::Options { version: Version::V2, ..create::Options::default() };
    let length = ByteCount(len as u64);
    let mut draft = Draft::single("film.bin", length, options).expect("a draft");
    draft.feed(&bytes).expect("all of it");
    OwnedSource::Torrent(Arc::new(draft.finish().expect("a torrent")))
}

/// One peer, with its records in `folder/pay` and its files in `folder`.
pub(crate) struct Side {
    runtime: Runtime,
    pub(crate) shell: Shell,
    news: Receiver<News>,
    pub(crate) torrent: TorrentId,
    pub(crate) address: SocketAddr,
    folder: PathBuf,
    /// What was bought since it started: bytes and base units.
    pub(crate) bought: (u64, u128),
}

impl Side {
    /// Starts a peer that shares or fetches a torrent and has a purse.
    pub(crate) fn start(
        ledger: &Ledger,
        folder: &Path,
        source: OwnedSource,
        upload_limit: Option<u64>,
    ) -> Self {
        let runtime = threads();
        fs::create_dir_all(folder).expect("a folder");
        let records = folder.join("pay");
        let purse = Purse {
            records: Records::open(&records).expect("records"),
            restored: read_records(&records).expect("whole records"),
            node: ledger.node(),
            claim_key: Some(genesis::account_key(FEES)),
            session_key: Some(session_key()),
            content_keys: Some(ContentKeys::open(&folder.join("keys")).expect("a folder")),
        };
        let place = Place {
            root: folder.to_owned(),
            finished: None,
            opening: Opening::default(),
            source: None,
        };
        let (shell, news, torrent, port) = runtime.block_on(async {
            let streams = StreamConfig {
                interfaces: vec![Ipv4Addr::LOCALHOST.into()],
                utp: false,
                ..StreamConfig::default()
            };
            let bound = Bound::bind(&streams).await.expect("a port");
            let port = bound.port().expect("a port");
            let mut random = [0; 32];
            getrandom::fill(&mut random).expect("random bytes");
            let mut id = *b"-HW0001-............";
            id[8..].copy_from_slice(&random[..12]);
            let (dials, listens) = (true, Some(port));
            let config = Config { dials, listens, upload_limit, ..Config::new(PeerId(id)) };
            let net = Net {
                rtc: RtcConfig { stun: None, ..RtcConfig::default() },
                streams: Some((streams, bound)),
                finders: BoundFinders::default(),
                router: None,
                filter: IpFilter::default(),
                proxy: None,
            };
            let shell = Shell::start(config, Seed(random), net);
            let news = shell.news();
            shell.pay(purse, Seed(random)).await.expect("it runs").expect("records");
            let added = shell.add(source, AddOptions::default(), place).await;
            let added = added.expect("it runs").expect("a torrent");
            (shell, news, added.torrent, port)
        });
        let address = (Ipv4Addr::LOCALHOST, port).into();
        let folder = folder.to_owned();
        Self { runtime, shell, news, torrent, address, folder, bought: (0, 0) }
    }

    pub(crate) fn tell(&self, input: Input) {
        let told = self.shell.client(move |client, now| client.handle_pay(now, input));
        self.runtime.block_on(told).expect("it runs");
    }

    /// Pays for what it fetches, within a session.
    pub(crate) fn buy(&self, session: &Buying) {
        self.tell(Input::BuyingOn(Box::new(session.clone())));
        let torrent = self.torrent;
        let hurry = self.shell.client(move |client, _| client.hurry(torrent, true));
        self.runtime.block_on(hurry).expect("it runs");
    }

    pub(crate) fn meet(&self, address: SocketAddr) {
        let met = self.shell.meet(self.torrent, vec![address]);
        self.runtime.block_on(met).expect("it runs");
    }

    pub(crate) fn claim(&self) {
        let claim = self.shell.client(|client, now| client.claim_pay(now));
        self.runtime.block_on(claim).expect("it runs");
    }

    pub(crate) fn view(&self) -> PayView {
        let view = self.shell.client(|client, _| client.pay_view());
        self.runtime.block_on(view).expect("it runs")
    }

    /// What its torrent is, once that is known.
    pub(crate) fn metainfo(&self) -> Arc<headwater_metainfo::Torrent> {
        let torrent = self.torrent;
        let told = self.shell.client(move |client, _| client.metainfo(torrent));
        self.runtime.block_on(told).expect("it runs").expect("its metadata")
    }

    /// Hears news until one of them is it.
    pub(crate) fn until(&mut self, what: &str, is_it: impl Fn(&News) -> bool) {
        loop {
            let next = async { tokio::time::timeout(PATIENCE, self.news.recv()).await };
            let news = self.runtime.block_on(next);
            let news = news.unwrap_or_else(|_| panic!("no {what}: {:?}", self.view()));
            let news = news.unwrap_or_else(|e| panic!("{e} before {what}"));
            if let News::Pay(PayNews::Told(Event::Bought { bytes, amount, .. })) = &news {
                self.bought.0 += bytes;
                self.bought.1 += amount.0;
            }
            if is_it(&news) {
                return;
            }
        }
    }

    /// Waits for so many vouchers, or promises, of something.
    pub(crate) fn until_paid(&mut self, times: usize) {
        for _ in 0..times {
            self.until("payment", |news| {
                let News::Pay(PayNews::Told(event)) = news else { return false };
                matches!(event, Event::Earned { .. } | Event::Bought { .. })
            });
        }
    }

    /// Has it pay all that it has verified.
    pub(crate) fn settle(&mut self) {
        let verified = |view: PayView| -> u128 {
            view.buying.iter().map(|link| u128::from(link.bytes) * BYTE).sum()
        };
        while self.bought.1 < verified(self.view()) {
            self.until_paid(1);
        }
    }

    /// Ends as a process does that is killed: nobody is told, nothing is finished. Answers the
    /// records that it leaves.
    pub(crate) fn kill(self) -> Vec<Record> {
        self.runtime.shutdown_timeout(Duration::from_secs(10));
        read_records(&self.folder.join("pay")).expect("whole records")
    }

    /// Ends as it should, and answers the records that it leaves.
    pub(crate) fn stop(self) -> Vec<Record> {
        self.runtime.block_on(self.shell.stop());
        self.kill()
    }
}
