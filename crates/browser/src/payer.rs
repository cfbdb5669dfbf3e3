//! Payment's module: drives `Payment` beside an engine in the other module, and does its jobs. The
//! session's key is made here and never leaves; there is none that could submit a claim.

mod content;
mod node;
mod shop;

pub use content::{OpenContent, content_of};

use bytes::Bytes;
use headwater_base::{
    Address, Amount, JobId, LinkId, Map, Seed, Signature, TorrentId, UnixTime, hex, unhex,
};
use headwater_client::chain::{self, ClaimOrder, SecretKey, TransactionId};
use headwater_client::content::ContentKey;
use headwater_client::pay::{Action, Answer, Buying, Event, Input, JobFailure, Record, Selling};
use headwater_client::{PayNews, PayStep, Payment, PaymentStep};
use headwater_tron::address;
use headwater_wire::extended::{Grant, PayTerms, Rail};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::crossing::{Crossing, news};
use crate::rate::Rate;
use crate::worker::{fault, json, now, report_panics};

use node::{Node, Outcome};

/// Sellers that are gone and still shown.
const GONE_MAX: usize = 64;
/// Claims that the wallet submits together: with more of them the fee's limit could be reached.
const CLAIMS_MAX: usize = 10;

#[wasm_bindgen]
extern "C" {
    /// The worker's side, an object of `www/src/paying.ts`. None of its methods may call back
    /// before it returns.
    pub type PayHost;

    /// Orders something of the engine, as `crossing` has it.
    #[wasm_bindgen(method)]
    fn order(this: &PayHost, word: &str, link: f64, number: f64, bytes: &[u8]);

    /// Tells why buying ended by itself.
    #[wasm_bindgen(method)]
    fn ended(this: &PayHost, why: &str);

    /// Posts a question to the chain's node after so many milliseconds; `told` takes the answer.
    #[wasm_bindgen(method)]
    fn ask(this: &PayHost, id: u32, after: f64, path: &str, body: &str);

    /// Keeps a record so that it survives a crash; `stored` takes how that went.
    #[wasm_bindgen(method)]
    fn store(this: &PayHost, job: f64, name: &str, bytes: &[u8]);

    /// Removes a record.
    #[wasm_bindgen(method)]
    fn forget(this: &PayHost, name: &str);

    /// Keeps the key of a content, by what it is known; `kept` follows.
    #[wasm_bindgen(method)]
    fn keep(this: &PayHost, job: f64, check: &str, key: &[u8]);

    /// Tells that the key of a content is kept, or a code and why it was not bought.
    #[wasm_bindgen(method)]
    fn bought(this: &PayHost, check: &str, code: Option<String>, why: Option<String>);

    /// Tells that selling began, or why it did not.
    #[wasm_bindgen(method)]
    fn sold(this: &PayHost, why: Option<String>);

    /// Tells of claims for the wallet, or what became of them: `Claims` of `www/src/paying.ts`.
    #[wasm_bindgen(method)]
    fn claims(this: &PayHost, claims: &str);
}

/// What the user lets the session spend: `Order` of `www/src/paying.ts`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wish {
    chain: u64,
    vault: String,
    token: String,
    owner: String,
    key: String,
    cap: String,
    expiry: u64,
    salt: String,
    signature: String,
    price: String,
}

#[derive(Serialize)]
struct Spending {
    spent: String,
    cap: String,
    purchases: Vec<Purchase>,
}

#[derive(Serialize)]
struct Purchase {
    seller: String,
    bytes: u64,
    amount: String,
    before: f64,
    after: f64,
}

/// A peer that takes part.
struct Seller {
    payee: Option<Address>,
    rate: Rate,
    bytes: u64,
    amount: Amount,
    is_gone: bool,
}

/// What the user claims: nothing, what may be claimed, what the wallet was offered or has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claiming {
    Nothing,
    /// For the wallet's account, on a chain, at its vault.
    Looking(Address, u64, Address),
    Offered,
    Followed,
}

/// What claims came to.
#[derive(Default, Serialize)]
struct Claims {
    /// Those that the wallet may submit.
    offered: Vec<serde_json::Value>,
    paid: String,
    why: Option<String>,
}

/// Payment of one page.
#[wasm_bindgen]
pub struct Payer {
    host: PayHost,
    payment: Payment,
    key: SecretKey,
    cap: Amount,
    /// What was promised in sessions before.
    past: Amount,
    /// Whoever took part, by link; those that left stay as long as something was bought of them.
    sellers: Map<LinkId, Seller>,
    node: Node,
    /// What is sold once the vault is known to be one.
    selling: Option<Box<Selling>>,
    /// Records that could not be read and are left as they are.
    damaged: usize,
    claiming: Claiming,
    /// What the claims under way have brought, and what is wrong with one of them.
    claimed: Amount,
    trouble: Option<String>,
}

#[wasm_bindgen]
impl Payer {
    /// Starts with a fresh key of a session, and with nothing bought.
    #[wasm_bindgen(constructor)]
    pub fn new(host: PayHost) -> Result<Self, JsValue> {
        report_panics();
        let mut random = [0; 64];
        getrandom::fill(&mut random).map_err(|why| fault("no-randomness", &why))?;
        let (seed, key) = random.split_at(32);
        let seed = Seed(seed.try_into().unwrap_or([0; 32]));
        let key = SecretKey::from_bytes(&key.try_into().unwrap_or([0; 32]));
        Ok(Self {
            host,
            payment: Payment::new(&seed),
            key: key.map_err(|why| fault("no-randomness", &why))?,
            cap: Amount(0),
            past: Amount(0),
            sellers: Map::new(),
            node: Node::default(),
            selling: None,
            damaged: 0,
            claiming: Claiming::Nothing,
            claimed: Amount(0),
            trouble: None,
        })
    }

    /// The address of the session's key.
    #[wasm_bindgen(js_name = sessionKey)]
    pub fn session_key(&self) -> String {
        address::to_evm(self.key.address())
    }

    /// Buys within a grant, given as JSON.
    pub fn buy(&mut self, wish: &str) -> Result<(), JsValue> {
        let wish: Wish = serde_json::from_str(wish).map_err(|why| fault("bad-grant", &why))?;
        let buying = buying(&wish).ok_or_else(|| fault("bad-grant", &"the grant is malformed"))?;
        if buying.grant.key != self.key.address() {
            return Err(fault("bad-grant", &"the grant is for another key than the session's"));
        }
        (self.cap, self.past) = (buying.session_cap, self.payment.view().promised);
        self.payment.handle(now(), Input::BuyingOn(Box::new(buying)));
        Ok(())
    }

    /// Ends buying at once.
    pub fn stop(&mut self) {
        self.payment.handle(now(), Input::BuyingOff);
    }

    /// Buys the key of the content that the link of a torrent sells, within the grant. Answers by
    /// what the key is known; `bought` tells what came of it.
    #[wasm_bindgen(js_name = buyContent)]
    pub fn buy_content(&mut self, magnet: &str) -> Result<String, JsValue> {
        let nothing = || fault("not-for-sale", &"its link sells nothing that a publisher signed");
        let wanted = content::wanted(magnet).ok_or_else(nothing)?;
        self.payment.handle(now(), Input::BuyContent(wanted));
        Ok(hex(&wanted.content.0))
    }

    /// Takes that the key of a content is kept.
    pub fn kept(&mut self, job: f64) {
        self.answer(JobId(job as u64), Answer::Opened(true));
    }

    /// Takes back a record that was kept, before anything is sold.
    pub fn recall(&mut self, name: &str, kept: &[u8]) {
        let bytes = shop::unseal(name, kept);
        let is_taken = bytes.is_some_and(|bytes| self.payment.recall([bytes]).is_ok());
        self.damaged += usize::from(!is_taken);
    }

    /// Sells upload by terms given as JSON, once the vault is known to be one.
    pub fn sell(&mut self, terms: &str) -> Result<(), JsValue> {
        let terms: shop::Terms =
            serde_json::from_str(terms).map_err(|why| fault("bad-terms", &why))?;
        let read = terms.read();
        let (chain, vault, selling) =
            read.ok_or_else(|| fault("bad-terms", &"the terms cannot be sold by"))?;
        if self.selling.is_some() {
            return Err(fault("sale-under-way", &"the vault is being asked already"));
        }
        self.selling = Some(Box::new(selling));
        self.node.vault(chain, vault);
        Ok(())
    }

    /// Sells no more. What is promised stays and can be claimed.
    #[wasm_bindgen(js_name = stopSelling)]
    pub fn stop_selling(&mut self) {
        self.payment.handle(now(), Input::SellingOff);
    }

    /// Takes the node's answer to a question; nothing where none came.
    pub fn told(&mut self, id: u32, bytes: Option<Vec<u8>>) {
        self.node.answered(id, &bytes.unwrap_or_default());
    }

    /// Takes whether a record is stored.
    pub fn stored(&mut self, job: f64, is_stored: bool) {
        let unreachable = Answer::Failed(JobFailure::Unreachable);
        let answer = if is_stored { Answer::Stored } else { unreachable };
        self.answer(JobId(job as u64), answer);
    }

    /// Finds out what the wallet of `account` may claim at the vault of a chain.
    pub fn claim(&mut self, account: &str, chain: f64, vault: &str) -> Result<(), JsValue> {
        if self.claiming != Claiming::Nothing {
            return Err(fault("claim-under-way", &"a claim is under way already"));
        }
        let [account, vault] = [account, vault].map(read_address);
        let place = account.zip(vault);
        let (account, vault) = place.ok_or_else(|| fault("bad-address", &"no account or vault"))?;
        self.claiming = Claiming::Looking(account, chain as u64, vault);
        (self.claimed, self.trouble) = (Amount(0), None);
        self.payment.claim_above(now(), Amount(0));
        Ok(())
    }

    /// Takes the id of the wallet's transaction in hex; nothing where it sent none.
    pub fn submitted(&mut self, id: Option<String>) {
        if self.claiming == Claiming::Offered {
            self.claiming = Claiming::Followed;
            self.node.submitted(id.and_then(|id| exact(&id)).map(TransactionId));
        }
    }

    /// What was earned so far: `Earnings` of `www/src/paying.ts` as JSON.
    pub fn earnings(&self) -> String {
        json(&shop::earnings(&self.payment.view(), self.damaged))
    }

    /// Takes the date, in seconds since 1970.
    pub fn clock(&mut self, seconds: f64) {
        self.payment.handle(now(), Input::Clock(UnixTime(seconds as u64)));
    }

    /// Pays for a torrent's bytes, of which so many are verified at once; or no longer.
    pub fn hurry(&mut self, torrent: u32, unit: Option<f64>) {
        self.payment.hurry(TorrentId(torrent), unit.map(|bytes| bytes as u64));
    }

    /// Takes what the engine has for payment, as `crossing` has it.
    pub fn hear(&mut self, word: &str, link: f64, number: f64, bytes: Vec<u8>) {
        let link = LinkId(link as u64);
        let Some(news) = news(word, link, number as u64, Bytes::from(bytes)) else { return };
        self.note(&news);
        self.payment.hear(now(), news);
    }

    /// Does everything there is to do; answers after how many milliseconds to call it again though
    /// nothing happened, negative for never.
    pub fn pump(&mut self) -> f64 {
        loop {
            self.work_with_node();
            match self.payment.next(now()) {
                PaymentStep::Order(order) => {
                    let Crossing { word, link, number, bytes } = order.into();
                    self.host.order(word, link.0 as f64, number as f64, &bytes);
                }
                PaymentStep::Shell(PayStep::Do(action)) => self.act(action),
                PaymentStep::Shell(PayStep::Tell(event)) => self.hear_of(&event),
                PaymentStep::Sleep(_) if self.work_with_node() => {}
                PaymentStep::Sleep(wake) => {
                    self.tell_claims();
                    let wait = wake.map(|wake| wake.at.since(now()).as_secs_f64() * 1000.0);
                    return wait.unwrap_or(-1.0);
                }
            }
        }
    }

    /// What was bought so far: `Spending` of `www/src/paying.ts` as JSON.
    pub fn spending(&mut self) -> String {
        let (view, at) = (self.payment.view(), now());
        for bought in &view.buying {
            if let Some(seller) = self.sellers.get_mut(&bought.link) {
                (seller.bytes, seller.amount) = (bought.bytes, bought.promised);
                seller.rate.pass(at);
            }
        }
        let paid = self.sellers.values().filter(|seller| seller.amount > Amount(0));
        let purchases = paid.map(|seller| Purchase {
            seller: seller.payee.map(address::to_evm).unwrap_or_default(),
            bytes: seller.bytes,
            amount: seller.amount.0.to_string(),
            before: seller.rate.before(),
            after: seller.rate.after(),
        });
        json(&Spending {
            purchases: purchases.collect(),
            spent: view.promised.0.saturating_sub(self.past.0).to_string(),
            cap: self.cap.0.to_string(),
        })
    }
}

impl Payer {
    fn answer(&mut self, job: JobId, answer: Answer) {
        self.payment.handle(now(), Input::Answered { job, answer });
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Sign { job, voucher } => {
                let sig = chain::sign(&self.key, &voucher);
                self.answer(job, Answer::Signed(sig));
            }
            Action::Verify { job, of, sig } => {
                self.answer(job, Answer::Verified(chain::recover(&of, &sig)));
            }
            Action::Store { job, key, bytes } => match Record::decode(&bytes) {
                // A crash takes the session's key along: no promise can follow, none is forgotten.
                Ok(Record::Promised(_) | Record::Purchase { .. }) => {
                    self.answer(job, Answer::Stored);
                }
                Ok(Record::Credit { .. } | Record::Overissuer { .. } | Record::Sold { .. })
                | Err(_) => {
                    self.host.store(job.0 as f64, &hex(&key.0), &shop::seal(&bytes));
                }
            },
            Action::Forget(key) => self.host.forget(&hex(&key.0)),
            Action::ViewAccount { job, rail, grant, payee } => {
                self.node.account(job, rail, grant, payee);
            }
            Action::SubmitClaim { job, voucher, grant_sig, sig } => {
                self.submit(job, ClaimOrder { voucher: *voucher, grant_sig, sig });
            }
            Action::Unseal { job, content, sealed } => {
                match ContentKey::unseal(&self.key, content, &sealed) {
                    Some(key) => self.host.keep(job.0 as f64, &hex(&content.0), &key.to_bytes()),
                    None => self.answer(job, Answer::Opened(false)),
                }
            }
            // No page sells keys of contents.
            Action::Seal { job, .. } => self.answer(job, Answer::Failed(JobFailure::Refused)),
            // Payment orders these of the engine.
            Action::Send { .. } | Action::Weight { .. } | Action::Allowance { .. } => {}
        }
    }
}

impl Payer {
    /// Posts what is to be asked, takes what came of it; whether there was anything.
    fn work_with_node(&mut self) -> bool {
        let mut has_worked = false;
        while let Some(question) = self.node.next_question() {
            let (after, request) = (question.after.as_secs_f64() * 1000.0, question.request);
            self.host.ask(question.id, after, request.path, &request.body);
            has_worked = true;
        }
        while let Some(outcome) = self.node.next_outcome() {
            has_worked = true;
            match outcome {
                Outcome::Answered(job, answer) => self.answer(job, answer),
                Outcome::Claimed(job, answer, why) => {
                    self.trouble = self.trouble.take().or(why);
                    self.answer(job, answer);
                }
                Outcome::Vault(rail) => {
                    let Some(mut selling) = self.selling.take() else { continue };
                    let why = rail.map(|rail| selling.rails = vec![rail]);
                    let why = why.map_err(|why| why.to_string()).err();
                    if why.is_none() {
                        self.payment.handle(now(), Input::SellingOn(selling));
                    }
                    self.host.sold(why);
                }
            }
        }
        has_worked
    }

    /// Hands a claim to the wallet that was named, if it is for its account and there.
    fn submit(&mut self, job: JobId, order: ClaimOrder) {
        let (rail, payee) = (order.voucher.rail, order.voucher.payee);
        let is_its = self.claiming == Claiming::Looking(payee, rail.chain, rail.vault);
        if is_its && self.node.claims() < CLAIMS_MAX {
            self.node.claim(job, payee, order);
        } else {
            self.answer(job, Answer::Failed(JobFailure::Refused));
        }
    }

    /// Tells of claims once all were looked at, and again once all are over.
    fn tell_claims(&mut self) {
        let (all, waiting) = (self.node.claims(), self.node.offers().count());
        self.claiming = match self.claiming {
            Claiming::Looking(..) if all > waiting => return,
            Claiming::Followed if all > 0 => return,
            Claiming::Nothing | Claiming::Offered => return,
            Claiming::Looking(..) if waiting > 0 => Claiming::Offered,
            Claiming::Looking(..) | Claiming::Followed => Claiming::Nothing,
        };
        let offered = self.node.offers().map(shop::offered);
        let offered = offered.filter_map(|claim| serde_json::to_value(claim).ok()).collect();
        let (paid, why) = (self.claimed.0.to_string(), self.trouble.clone());
        self.host.claims(&json(&Claims { offered, paid, why }));
    }

    fn hear_of(&mut self, event: &Event) {
        if let Some(why) = ended(event) {
            self.host.ended(why);
        }
        if let Event::Claimed { amount } = event {
            self.claimed = Amount(self.claimed.0.saturating_add(amount.0));
        }
        if let Some((content, why)) = content::news(event) {
            let told =
                why.map(content::refusal).map(|(code, why)| (code.to_owned(), why.to_owned()));
            let (code, why) = told.unzip();
            self.host.bought(&hex(&content.0), code, why);
        }
    }

    /// Keeps what is shown of sellers.
    fn note(&mut self, news: &PayNews) {
        match news {
            PayNews::Told { link, terms, .. } => {
                let terms = PayTerms::decode(terms).ok().flatten();
                let rate = Rate::new(now());
                let payee = terms.and_then(|terms| terms.payee);
                let seller = Seller { payee, rate, bytes: 0, amount: Amount(0), is_gone: false };
                self.sellers.entry(*link).or_insert(seller);
            }
            PayNews::Received { link, bytes } => {
                let is_paid = self.payment.is_charged(*link);
                if let Some(seller) = self.sellers.get_mut(link) {
                    seller.rate.came(now(), *bytes, is_paid);
                }
            }
            PayNews::Left(link) => self.left(*link),
            PayNews::Said { .. }
            | PayNews::Served { .. }
            | PayNews::Verified { .. }
            | PayNews::Bad(_)
            | PayNews::Sent { .. }
            | PayNews::Interest { .. }
            | PayNews::Reciprocates { .. } => {}
        }
    }

    /// A seller is gone; what was bought of it is shown on.
    fn left(&mut self, link: LinkId) {
        let view = self.payment.view();
        let bought = view.buying.iter().find(|bought| bought.link == link);
        let Some((seller, bought)) = self.sellers.get_mut(&link).zip(bought) else {
            self.sellers.remove(&link);
            return;
        };
        (seller.bytes, seller.amount, seller.is_gone) = (bought.bytes, bought.promised, true);
        let gone = self.sellers.iter().filter(|(_, seller)| seller.is_gone);
        if gone.clone().count() > GONE_MAX {
            let first = gone.map(|(link, _)| *link).next();
            first.map(|link| self.sellers.remove(&link));
        }
    }
}

/// What a wish says, unless something of it is malformed.
fn buying(wish: &Wish) -> Option<Buying> {
    let amount = |text: &str| text.parse().ok().map(Amount);
    let cap = amount(&wish.cap)?;
    let grant = Grant {
        owner: read_address(&wish.owner)?,
        key: read_address(&wish.key)?,
        cap,
        expiry: UnixTime(wish.expiry),
        salt: exact(&wish.salt)?,
    };
    Some(Buying {
        rail: Rail {
            chain: wish.chain,
            vault: read_address(&wish.vault)?,
            token: read_address(&wish.token)?,
        },
        grant,
        grant_sig: Signature(exact(&wish.signature)?),
        price_max: amount(&wish.price)?,
        link_cap: cap,
        session_cap: cap,
    })
}

fn read_address(text: &str) -> Option<Address> {
    exact(text).map(Address)
}

/// Bytes of that many, from hex digits that may follow `0x`.
fn exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    unhex(text.strip_prefix("0x").unwrap_or(text))?.try_into().ok()
}

/// Why nothing more can be bought, for events that mean that.
fn ended(event: &Event) -> Option<&'static str> {
    match event {
        Event::CapReached { .. } => Some("the allowance is used up"),
        Event::GrantExpired => Some("the allowance has run out of time"),
        Event::Bought { .. }
        | Event::Earned { .. }
        | Event::PriceChanged { .. }
        | Event::Refused { .. }
        | Event::PaymentEnded { .. }
        | Event::Insolvent { .. }
        | Event::Overissued { .. }
        | Event::Claimed { .. }
        | Event::ContentPaid { .. }
        | Event::KeyCame { .. }
        | Event::NotBought { .. }
        | Event::KeySold { .. }
        | Event::ClaimFailed { .. } => None,
    }
}
