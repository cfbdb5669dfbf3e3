//! Keys of contents: a publisher encrypts and sells, a buyer pays and decrypts, and the ledger says
//! the same to the base unit, also when each side was killed once.

use std::fs;
use std::path::Path;

use headwater_base::{Amount, Seed, unhex};
use headwater_client::content::ContentKey;
use headwater_client::publication::verified;
use headwater_devnet::genesis;
use headwater_hybrid::shell::{ContentKeys, News, OwnedSource, PayNews};
use headwater_metainfo::Magnet;
use headwater_pay::{Buying, Event, Input, Selling, Wanted, WhyNot};
use headwater_tron::address::to_base58;
use headwater_wire::extended::{ContentId, Rail};
use serde_json::Value;

use crate::market::{Folder, Ledger, Side, film, payee};
use crate::program::{Program, code, run, text};
use crate::trade::is_done;

/// 30 BTT: more than the twenty fees from which a claim is worth it on a test chain.
const PRICE: Amount = Amount(30_000_000_000_000_000_000);

/// Too little to be claimed before the test says so.
const SMALL: Amount = Amount(1_000_000);

fn content_key() -> ContentKey {
    ContentKey::from_bytes([0x66; 32])
}

fn key_came(news: &News) -> bool {
    matches!(news, News::Pay(PayNews::Told(Event::KeyCame { .. })))
}

fn sold(news: &News) -> bool {
    matches!(news, News::Pay(PayNews::Told(Event::KeySold { .. })))
}

fn want(side: &Side, session: &Buying, content: ContentId, price: Amount) {
    side.tell(Input::BuyingOn(Box::new(session.clone())));
    let (rail, payee) = (session.rail, payee());
    side.tell(Input::BuyContent(Wanted { content, price, payee, rail }));
}

#[test]
fn a_key_costs_one_price_though_each_side_was_killed_once() {
    let (folder, ledger) = (Folder::new("key"), Ledger::start());
    let (home, away) = (folder.0.join("seller"), folder.0.join("buyer"));
    let film = film(&home, 1 << 20);
    let keys = |home: &Path| ContentKeys::open(&home.join("keys")).expect("a folder");
    let (key, session) = (content_key(), ledger.buying());
    keys(&home).keep(&key).expect("a write");
    let contents = vec![(key.id(), SMALL)];
    let selling = || {
        let selling = Selling { paid_slots: 0, contents: contents.clone(), ..ledger.selling() };
        Input::SellingOn(Box::new(selling))
    };
    let mut seller = Side::start(&ledger, &home, film.clone(), None);
    seller.tell(selling());
    let mut buyer = Side::start(&ledger, &away, film.clone(), None);
    buyer.meet(seller.address);
    // Who has all of it may still buy the key.
    buyer.until("the film", is_done);
    want(&buyer, &session, key.id(), SMALL);
    // The seller is killed once it was paid, the buyer before it heard of it.
    seller.until("a sale", sold);
    buyer.kill();
    seller.kill();
    let _ = fs::remove_dir_all(away.join("keys"));
    let mut seller = Side::start(&ledger, &home, film.clone(), None);
    assert_eq!(seller.view().earned, SMALL, "what was taken is kept");
    seller.tell(selling());
    let mut buyer = Side::start(&ledger, &away, film, None);
    assert_eq!(buyer.view().promised, SMALL, "what was promised is kept");
    buyer.meet(seller.address);
    want(&buyer, &session, key.id(), SMALL);
    buyer.until("the key", key_came);
    assert_eq!(keys(&away).read(key.id()).expect("a key"), Some(key));
    seller.claim();
    seller
        .until("the claim", |news| matches!(news, News::Pay(PayNews::Told(Event::Claimed { .. }))));
    assert_eq!(ledger.claimed(&session.grant), SMALL);
    let (sold, bought) = (seller.view(), buyer.view());
    assert_eq!((sold.earned, sold.claimed, bought.promised), (SMALL, SMALL, SMALL));
}

#[test]
fn a_key_that_is_paid_another_way_is_not_bought_and_nothing_is_promised() {
    let (folder, ledger) = (Folder::new("rail"), Ledger::start());
    let (home, away) = (folder.0.join("seller"), folder.0.join("buyer"));
    let film = film(&home, 1 << 18);
    let (key, session) = (content_key(), ledger.buying());
    let seller = Side::start(&ledger, &home, film.clone(), None);
    let contents = vec![(key.id(), Amount(1))];
    let selling = Selling { paid_slots: 0, contents, ..ledger.selling() };
    seller.tell(Input::SellingOn(Box::new(selling)));
    let mut buyer = Side::start(&ledger, &away, film, None);
    buyer.meet(seller.address);
    let rail = Rail { chain: 1, ..session.rail };
    buyer.tell(Input::BuyingOn(Box::new(session)));
    let (content, payee) = (key.id(), payee());
    buyer.tell(Input::BuyContent(Wanted { content, price: PRICE, payee, rail }));
    buyer.until("a refusal", |news| {
        let News::Pay(PayNews::Told(event)) = news else { return false };
        matches!(event, Event::NotBought { why: WhyNot::Rail, .. })
    });
    assert_eq!(buyer.view().promised, Amount(0));
}

/// What the program shares, and what it says of it.
struct Shop {
    folder: std::path::PathBuf,
    state: String,
    node: String,
}

impl Shop {
    fn new(folder: &Path, ledger: &Ledger) -> Self {
        let film = folder.join("film");
        fs::create_dir_all(film.join("extras")).expect("a folder");
        for (name, len) in [("film.mp4", 300_000), ("extras/poster.jpg", 40_001), ("a.txt", 0)] {
            let mut bytes = vec![0; len];
            Seed([9; 32]).split(name).fill(&mut bytes);
            fs::write(film.join(name), bytes).expect("a write");
        }
        let fees = folder.join("fees.key");
        fs::write(&fees, headwater_base::hex(&genesis::account_key(1).to_bytes())).expect("ours");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&fees, fs::Permissions::from_mode(0o600)).expect("ours");
        }
        let state = text(&folder.join("state"));
        Self { folder: folder.to_owned(), state, node: ledger.url.clone() }
    }

    fn args(&self, more: &[&str]) -> Vec<String> {
        let own = |name: &str| text(&self.folder.join(name));
        let (film, publisher, fees) = (own("film"), own("publisher.key"), own("fees.key"));
        let payee = to_base58(payee());
        let args = [
            "seed",
            &film,
            "--hybrid",
            "--json",
            "--interface",
            "127.0.0.1",
            "--transports",
            "tcp",
            "--price",
            "30",
            "--payee",
            &payee,
            "--publisher-key",
            &publisher,
            "--pay-node",
            &self.node,
            "--pay-chain",
            "local",
            "--claim-key",
            &fees,
            "--state",
            &self.state,
        ];
        args.iter().chain(more).map(|arg| (*arg).to_owned()).collect()
    }

    fn start(&self) -> (Program, Value) {
        let args = self.args(&[]);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let mut program = Program::start(&args);
        let told = serde_json::from_str(&program.line()).expect("JSON");
        (program, told)
    }
}

/// What a link says, as whoever buys reads it.
fn wanted(told: &Value) -> (String, Wanted, u16) {
    let link = told["magnet"].as_str().expect("a link").to_owned();
    let magnet = Magnet::parse(&link).expect("a link");
    let said = magnet.publication.as_ref().expect("a publication");
    let said = verified(said, &(&magnet).into()).expect("a good signature");
    let sale = said.sale.expect("a price");
    let rail = Rail { chain: said.chain, vault: said.vault, token: said.token };
    let content = ContentId(sale.check);
    let wanted = Wanted { content, price: sale.price, payee: said.payee, rail };
    let port = told["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    (link, wanted, port.expect("a port"))
}

#[test]
fn a_publisher_sells_what_it_encrypted_and_gives_it_again_after_a_restart() {
    let (folder, ledger) = (Folder::new("publish"), Ledger::start());
    let shop = Shop::new(&folder.0, &ledger);
    let (mut program, told) = shop.start();
    let (link, asked, port) = wanted(&told);
    assert_eq!((asked.price, asked.payee, asked.rail), (PRICE, payee(), ledger.rail));
    let away = folder.0.join("buyer");
    let mut buyer = Side::start(&ledger, &away, OwnedSource::Text(link.clone()), None);
    buyer.meet((std::net::Ipv4Addr::LOCALHOST, port).into());
    buyer.until("the film", is_done);
    let session = ledger.buying();
    want(&buyer, &session, asked.content, PRICE);
    buyer.until("the key", key_came);
    program.until("the key was sold to");
    program.until("claimed 30 BTT");
    assert_eq!(ledger.claimed(&session.grant), PRICE);
    assert_eq!(buyer.view().promised, PRICE);

    // What was fetched is not what was published until it is opened.
    let keys = ContentKeys::open(&away.join("keys")).expect("a folder");
    let key = keys.read(asked.content).expect("a key").expect("it is kept");
    let torrent = buyer.metainfo();
    let real = torrent.files.iter().filter(|file| !file.pad);
    for (file, index) in real.zip(0..) {
        let plain = fs::read(folder.0.join("film").join(&file.path)).expect("a file");
        let mut copy = fs::read(away.join("film").join(&file.path)).expect("a file");
        assert!(copy.is_empty() || copy != plain, "{}", file.path);
        key.file(index).apply(0, &mut copy);
        assert!(copy == plain, "{}", file.path);
    }
    buyer.stop();

    // Killed and started again, it shares the same torrent, and knows who bought.
    drop(program);
    let (mut program, again) = shop.start();
    let (link_again, _, port) = wanted(&again);
    assert_eq!(link_again, link);
    let other = folder.0.join("later");
    let mut later = Side::start(&ledger, &other, OwnedSource::Text(link), None);
    later.meet((std::net::Ipv4Addr::LOCALHOST, port).into());
    want(&later, &ledger.another_session(), asked.content, PRICE);
    later.until("the key", key_came);
    program.until("the key was given again to");
    assert_eq!((later.view().promised, ledger.claimed(&session.grant)), (Amount(0), PRICE));
}

#[test]
fn what_a_sale_lacks_is_said_before_anything_is_encrypted() {
    let (folder, ledger) = (Folder::new("unsold"), Ledger::start());
    let shop = Shop::new(&folder.0, &ledger);
    let refused = |drop: &[&str], more: &[&str]| {
        let mut args = shop.args(more);
        args.retain(|arg| arg != "--json");
        for flag in drop {
            let at = args.iter().position(|arg| arg == flag).expect("it is there");
            args.drain(at..at + 2);
        }
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let (exit, why) = code(&run(&args));
        assert_eq!(exit, Some(2), "{why}");
        why
    };
    assert!(refused(&["--payee", "--publisher-key"], &[]).contains("[no-payee]"));
    assert!(refused(&["--publisher-key"], &[]).contains("[no-publisher-key]"));
    assert!(refused(&[], &["--max-unsecured", "29"]).contains("[price]"));
    assert!(refused(&["--price"], &["--price", "0"]).contains("[price]"));
    assert!(refused(&[], &["s3://bucket/film"]).contains("[price]"));
    assert!(!folder.0.join("state/content").exists(), "nothing was encrypted");
}

#[test]
fn a_paid_torrent_says_what_it_costs_to_who_cannot_pay() {
    let (folder, ledger) = (Folder::new("told"), Ledger::start());
    let shop = Shop::new(&folder.0, &ledger);
    let (_program, told) = shop.start();
    let (link, _, port) = wanted(&told);
    let (out, peer) = (text(&folder.0.join("out")), format!("127.0.0.1:{port}"));
    let (exit, why) = code(&run(&[
        "get",
        &link,
        "--output",
        &out,
        "--peer",
        &peer,
        "--interface",
        "127.0.0.1",
        "--transports",
        "tcp",
    ]));
    assert_eq!(exit, Some(0), "{why}");
    assert!(why.contains("[encrypted]") && why.contains("costs 30 BTT"), "{why}");
    let shown = run(&["show", &link, "--json"]);
    let shown: Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["publication"]["price"], PRICE.0.to_string());
    let check = shown["publication"]["check"].as_str().and_then(unhex).expect("hex");
    assert_eq!(check.len(), 32);
}

#[test]
fn a_changed_file_is_encrypted_with_another_key_and_other_files_are_left_alone() {
    let (folder, ledger) = (Folder::new("changed"), Ledger::start());
    let shop = Shop::new(&folder.0, &ledger);
    let (program, told) = shop.start();
    let (_, first, _) = wanted(&told);
    drop(program);
    fs::write(folder.0.join("film/film.mp4"), vec![1; 300_000]).expect("a write");
    let (program, told) = shop.start();
    let (_, second, _) = wanted(&told);
    drop(program);
    assert_ne!(first.content, second.content);
    // Where something else lies, nothing is written.
    let out = folder.0.join("out");
    fs::create_dir_all(out.join("film")).expect("a folder");
    fs::write(out.join("film/mine.txt"), "mine").expect("a write");
    let mut args = shop.args(&["--output", &text(&out)]);
    args.retain(|arg| arg != "--json");
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let (exit, why) = code(&run(&args));
    assert!(exit == Some(2) && why.contains("[other-content]"), "{why}");
    assert_eq!(fs::read(out.join("film/mine.txt")).expect("it is there"), b"mine");
}
