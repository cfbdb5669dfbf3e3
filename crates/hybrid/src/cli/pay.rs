//! `headwater pay`: what a server earned, read of its records; claiming it; handing it out as
//! vouchers that anybody may submit.

mod live;

use std::fs;
use std::path::{Path, PathBuf};

use headwater_base::{Address, Amount, Signature, UnixTime, hex};
use headwater_client::chain::{self as jobs, ClaimOrder, SecretKey};
use headwater_hybrid::shell::{Node, Records, RecordsError, open_key, read_records};
use headwater_pay::limit::CLAIM_WINDOW_SECONDS;
use headwater_pay::{Answer, Promise, Record};
use headwater_tron::amount;
use headwater_tron::chain::{Chain, DEVNET};
use headwater_wire::extended::Rail;
use serde_json::{Value, json};

use super::args::{Claim, Export, Pay, Where};
use super::failure::Failure;
use super::{owner, print, print_line, sell, wait};

/// The vault's call in the form that contracts are asked in.
const CALL: &str = "claim((address,address,uint128,uint64,bytes32),bytes,address,uint128,bytes)";

/// Bytes by which a call names its function.
const SELECTOR_LEN: usize = 4;

/// Runs one of the commands.
pub(crate) fn run(command: Pay, json: bool) -> Result<(), Failure> {
    match command {
        Pay::Status(place) => status(&place, json),
        Pay::Claim(args) => wait(claim(args, json)),
        Pay::Export(args) => export(&args, json),
    }
}

/// The best voucher of one payer's session.
#[derive(Clone, Copy)]
struct Credit {
    voucher: Promise,
    grant_sig: Signature,
    sig: Signature,
    claimed: Amount,
}

impl Credit {
    fn of(record: &Record) -> Option<Self> {
        match *record {
            Record::Credit { voucher, grant_sig, sig, claimed } => {
                Some(Self { voucher, grant_sig, sig, claimed })
            }
            Record::Promised(_)
            | Record::Overissuer { .. }
            | Record::Purchase { .. }
            | Record::Sold { .. } => None,
        }
    }

    fn open(&self) -> Amount {
        Amount(self.voucher.amount.0.saturating_sub(self.claimed.0))
    }

    /// The last second in which the vault takes it.
    fn until(&self) -> UnixTime {
        UnixTime(self.voucher.grant.expiry.0.saturating_add(CLAIM_WINDOW_SECONDS))
    }

    fn order(&self) -> ClaimOrder {
        ClaimOrder { voucher: self.voucher, grant_sig: self.grant_sig, sig: self.sig }
    }

    fn owner(&self) -> String {
        show(&self.voucher.rail, self.voucher.grant.owner)
    }

    fn shown(&self) -> Value {
        let Promise { rail, grant, payee, amount } = &self.voucher;
        json!({
            "owner": show(rail, grant.owner),
            "session": hex(&jobs::session(grant)),
            "payee": show(rail, *payee),
            "chain": name(rail),
            "chain_id": rail.chain,
            "vault": show(rail, rail.vault),
            "earned": units(*amount),
            "claimed": units(self.claimed),
            "open": units(self.open()),
            "expires": grant.expiry.0,
            "claimable_until": self.until().0,
        })
    }
}

/// An amount in JSON: base units, which no number of JavaScript holds.
fn units(amount: Amount) -> String {
    amount.0.to_string()
}

fn btt(amount: Amount) -> String {
    format!("{} BTT", amount::text(amount, DEVNET.decimals))
}

fn name(rail: &Rail) -> &'static str {
    Chain::by_id(rail.chain).map_or("unknown", |chain| chain.name)
}

/// An account as people on the rail's chain know it.
fn show(rail: &Rail, account: Address) -> String {
    Chain::show_on(rail.chain, account)
}

fn state(place: &Where) -> Result<PathBuf, Failure> {
    owner::state_in(place.state.as_deref(), place.dir.as_deref())
}

fn read(place: &Where) -> Result<(PathBuf, Vec<Record>), Failure> {
    let folder = state(place)?.join(sell::FOLDER);
    let records = read_records(&folder).map_err(unusable)?;
    Ok((folder, records))
}

/// What the server that runs on the records says beyond them, if one does.
fn live(place: &Where, folder: &Path) -> Result<Value, Failure> {
    let state = state(place)?;
    let answer = Records::are_taken(folder).then(|| live::ask(&state, "GET", "/pay")).flatten();
    Ok(answer.unwrap_or_default())
}

fn unusable(error: RecordsError) -> Failure {
    Failure::failed("pay-records", error)
}

fn sum(credits: &[Credit], of: impl Fn(&Credit) -> Amount) -> Amount {
    Amount(credits.iter().fold(0, |sum, credit| sum.saturating_add(of(credit).0)))
}

fn status(place: &Where, json: bool) -> Result<(), Failure> {
    let (folder, records) = read(place)?;
    let credits: Vec<_> = records.iter().filter_map(Credit::of).collect();
    let earned = sum(&credits, |credit| credit.voucher.amount);
    let (claimed, open) = (sum(&credits, |credit| credit.claimed), sum(&credits, Credit::open));
    let over = |record: &Record| match record {
        Record::Overissuer { rail, owner } => Some(show(rail, *owner)),
        Record::Promised(_)
        | Record::Credit { .. }
        | Record::Purchase { .. }
        | Record::Sold { .. } => None,
    };
    let overissuers: Vec<_> = records.iter().filter_map(over).collect();
    let keys_sold = records.iter().filter(|record| matches!(record, Record::Sold { .. })).count();
    let (running, live) = (Records::are_taken(&folder), live(place, &folder)?);
    if json {
        print(&json!({
            "records": folder.display().to_string(),
            "running": running,
            "decimals": DEVNET.decimals,
            "earned": units(earned), "claimed": units(claimed), "open": units(open),
            "payers": credits.iter().map(Credit::shown).collect::<Vec<_>>(),
            "overissuers": overissuers,
            "keys_sold": keys_sold,
            "live": live,
        }));
        return Ok(());
    }
    let who = if running { "a server that runs" } else { "no server runs" };
    print_line(&format!("records  {} ({who})", folder.display()));
    print_line(&format!("earned   {}", btt(earned)));
    print_line(&format!("claimed  {}", btt(claimed)));
    print_line(&format!("open     {}", btt(open)));
    if let Some(owed) = live["owed"].as_str().and_then(|owed| owed.parse().ok()).map(Amount) {
        print_line(&format!("owed     {} that was sent and is not promised yet", btt(owed)));
    }
    if keys_sold > 0 {
        print_line(&format!("keys     {keys_sold} sold, once to each buyer"));
    }
    for credit in &credits {
        let (owner, chain) = (credit.owner(), name(&credit.voucher.rail));
        let (open, earned) = (btt(credit.open()), btt(credit.voucher.amount));
        print_line(&format!("{owner} on {chain}: {earned}, of which {open} open"));
    }
    for owner in overissuers {
        print_line(&format!("{owner} promised more than it had; it is sold nothing"));
    }
    Ok(())
}

/// What becomes of claims.
struct Claiming {
    node: Node,
    key: SecretKey,
    /// The records, unless a server has them: it learns of claims at its own next look.
    records: Option<Records>,
    json: bool,
}

async fn claim(args: Claim, json: bool) -> Result<(), Failure> {
    let market = sell::market(&args.chain, args.proxy.as_deref())?;
    if !args.claim_key.exists() {
        // A fresh key would have nothing to pay fees with.
        let why = format!("{}: no such file", args.claim_key.display());
        return Err(Failure::input("claim-key", why));
    }
    let key = open_key(&args.claim_key).map_err(|e| Failure::failed("claim-key", e))?;
    let address = key.address();
    // Taken before they are read: a server could else store better vouchers in between.
    let owned = own(&args.place)?;
    let (_, records) = read(&args.place)?;
    let credits = records.iter().filter_map(Credit::of);
    let open: Vec<_> = credits.filter(|credit| credit.open() > Amount(0)).collect();
    if open.is_empty() {
        done(Amount(0), Amount(0), json);
        return Ok(());
    }
    let known = market.node.rail(&market.chains, market.vault).await;
    let (rail, chain) = known.map_err(|e| Failure::failed("node", e))?;
    let fee = fee(&args, chain)?;
    let (chosen, left): (Vec<_>, Vec<_>) = open.into_iter().partition(|one| one.open() > fee);
    let left = sum(&left, Credit::open);
    if !json {
        let account = chain.show(address);
        print_line(&format!("claiming on {}; {account} pays the fees", chain.name));
    }
    let claiming = Claiming { node: market.node, key, records: owned, json };
    let (mut paid, mut failures) = (0_u128, 0);
    for credit in &chosen {
        match claiming.one(credit, &rail).await? {
            Some(more) => paid = more.0.saturating_add(paid),
            None => failures += 1,
        }
    }
    if claiming.records.is_none() {
        // It looks at the chain before it claims, so that this costs nothing.
        let _ = live::ask(&state(&args.place)?, "POST", "/pay/claim");
    }
    done(Amount(paid), left, json);
    match failures {
        0 => Ok(()),
        more => Err(Failure::failed("claim", format!("{more} claims failed"))),
    }
}

/// The records as ours, unless a server has them or there are none.
fn own(place: &Where) -> Result<Option<Records>, Failure> {
    let folder = state(place)?.join(sell::FOLDER);
    if !folder.exists() {
        return Ok(None);
    }
    match Records::open(&folder) {
        Ok(records) => Ok(Some(records)),
        Err(RecordsError::Taken { .. }) => Ok(None),
        Err(error) => Err(unusable(error)),
    }
}

/// What a claim must bring more than.
fn fee(args: &Claim, chain: &Chain) -> Result<Amount, Failure> {
    if args.all {
        return Ok(Amount(0));
    }
    let why = "say what a claim costs in BTT's worth with --claim-fee, or claim --all";
    let known = args.claim_fee.or((!chain.is_real).then_some(sell::TEST_FEE));
    known.ok_or_else(|| Failure::input("no-claim-fee", why))
}

fn done(paid: Amount, left: Amount, json: bool) {
    if json {
        print(&json!({ "event": "done", "paid": units(paid), "left": units(left) }));
    } else {
        print_line(&format!("claimed {}; {} left that is not worth a fee", btt(paid), btt(left)));
    }
}

impl Claiming {
    /// Claims one voucher, and says what came of it: by how much more was paid, if it was.
    async fn one(&self, credit: &Credit, rail: &Rail) -> Result<Option<Amount>, Failure> {
        if credit.voucher.rail != *rail {
            let why = "it is for another chain or vault: see --pay-chain, --vault, --pay-node";
            self.failed(credit, why);
            return Ok(None);
        }
        let range = |e| Failure::failed("claim-key", e);
        let key = SecretKey::from_bytes(&self.key.to_bytes()).map_err(range)?;
        let (answer, trouble) = self.node.claim(key, credit.order()).await;
        let Answer::ClaimDone(claimed) = answer else {
            let why = trouble.map_or_else(|| "the claim failed".to_owned(), |why| why.to_string());
            self.failed(credit, &why);
            return Ok(None);
        };
        let more = Amount(claimed.0.saturating_sub(credit.claimed.0));
        self.record(&Credit { claimed, ..*credit })?;
        let short = Amount(credit.voucher.amount.0.saturating_sub(claimed.0));
        let owner = credit.owner();
        if self.json {
            let mut line = Credit { claimed, ..*credit }.shown();
            line["event"] = json!("claimed");
            line["paid"] = json!(units(more));
            line["short"] = json!(units(short));
            print(&line);
        } else if short > Amount(0) {
            print_line(&format!("{owner}: {} paid, {} short", btt(more), btt(short)));
        } else {
            print_line(&format!("{owner}: {} paid", btt(more)));
        }
        Ok(Some(more))
    }

    fn record(&self, credit: &Credit) -> Result<(), Failure> {
        let Some(records) = &self.records else { return Ok(()) };
        let Credit { voucher, grant_sig, sig, claimed } = *credit;
        let stored = records.store(&Record::Credit { voucher, grant_sig, sig, claimed });
        stored.map_err(|e| Failure::file(records.folder(), &e))
    }

    fn failed(&self, credit: &Credit, why: &str) {
        let owner = credit.owner();
        if self.json {
            let mut line = credit.shown();
            line["event"] = json!("failed");
            line["message"] = json!(why);
            print(&line);
        } else {
            eprintln!("{owner}: not claimed: {why}");
        }
    }
}

/// A voucher with all that whoever submits it needs.
fn exported(credit: &Credit) -> Value {
    let Promise { rail, grant, payee, amount } = &credit.voucher;
    let data = credit.order().call();
    json!({
        "chain": name(rail),
        "chain_id": rail.chain,
        "vault": show(rail, rail.vault),
        "token": show(rail, rail.token),
        "grant": {
            "owner": show(rail, grant.owner),
            "key": show(rail, grant.key),
            "cap": units(grant.cap),
            "expiry": grant.expiry.0,
            "salt": prefixed(&grant.salt),
        },
        "owner_signature": prefixed(&credit.grant_sig.0),
        "payee": show(rail, *payee),
        "amount": units(*amount),
        "key_signature": prefixed(&credit.sig.0),
        "claimed": units(credit.claimed),
        "claimable_until": credit.until().0,
        "function_selector": CALL,
        "parameter": hex(&data[SELECTOR_LEN..]),
        "data": prefixed(&data),
    })
}

fn prefixed(bytes: &[u8]) -> String {
    format!("0x{}", hex(bytes))
}

fn export(args: &Export, json: bool) -> Result<(), Failure> {
    let (_, records) = read(&args.place)?;
    let credits: Vec<_> = records.iter().filter_map(Credit::of).collect();
    let open = credits.iter().filter(|credit| credit.open() > Amount(0));
    let vouchers: Vec<_> = open.map(exported).collect();
    let count = vouchers.len();
    let text = json!({ "version": 1, "vouchers": vouchers });
    let Some(file) = &args.output else {
        print(&text);
        return Ok(());
    };
    fs::write(file, format!("{text:#}\n")).map_err(|e| Failure::file(file, &e))?;
    if json {
        print(&json!({ "file": file.display().to_string(), "vouchers": count }));
    } else {
        print_line(&format!("{count} vouchers in {}", file.display()));
    }
    Ok(())
}
