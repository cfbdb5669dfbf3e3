//! Answers cases that a test made with tronweb: one JSON line in, one line of hex out, so that
//! both can be compared to the byte. Reads at most [`CASES_MAX`] lines.

use std::io::{self, BufRead as _, Read as _, Write as _};

use headwater_tron::address;
use headwater_tron::key::SecretKey;
use headwater_tron::message;
use headwater_tron::node::{HexAddress, HexBytes};
use headwater_tron::transaction::TransactionJson;
use headwater_tron::typed::{Domain, Form, Grant, Publication, Reserve, Voucher, grant_json};
use headwater_tron::{Amount, Signature, UnixTime};
use serde::Deserialize;

/// Cases of one run.
const CASES_MAX: usize = 20_000;
/// Bytes of all cases together.
const INPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// One case: what is to be made, and of what.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Case {
    /// A transaction: its bytes, its id, and it signed.
    Transaction { key: HexBytes, json: TransactionJson },
    /// A key's address in its three forms.
    Address { key: HexBytes },
    /// A message as wallets sign it.
    MessageV1 { key: HexBytes, bytes: HexBytes },
    /// A text as wallets sign it.
    MessageV2 { key: HexBytes, text: String },
    /// A grant, signed, and as a wallet takes it.
    Grant { key: HexBytes, place: Place, grant: GrantCase },
    /// A voucher, signed.
    Voucher { key: HexBytes, place: Place, promise: Promise },
    /// A reserve, signed.
    Reserve { key: HexBytes, place: Place, promise: Promise },
    /// What a torrent says of its publisher, signed.
    Publication { key: HexBytes, place: Place, publication: PublicationCase },
}

/// Where signatures count.
#[derive(Deserialize)]
struct Place {
    chain_id: u64,
    vault: HexAddress,
}

/// The terms of a grant.
#[derive(Deserialize)]
struct GrantCase {
    owner: HexAddress,
    key: HexAddress,
    cap: String,
    expiry: u64,
    salt: HexBytes,
}

/// The terms of a voucher or a reserve.
#[derive(Deserialize)]
struct Promise {
    session: HexBytes,
    payee: HexAddress,
    amount: String,
}

/// What a torrent says of its publisher.
#[derive(Deserialize)]
struct PublicationCase {
    v1: HexBytes,
    v2: HexBytes,
    payee: HexAddress,
    token: HexAddress,
    tip: String,
    price: String,
    check: HexBytes,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let input = io::BufReader::new(io::stdin().lock().take(INPUT_BYTES_MAX));
    let mut output = io::BufWriter::new(io::stdout().lock());
    for line in input.lines().take(CASES_MAX) {
        let answer = answer(serde_json::from_str(&line?)?)?;
        writeln!(output, "{}", answer.join(" "))?;
    }
    output.flush()?;
    Ok(())
}

fn answer(case: Case) -> Result<Vec<String>, Failure> {
    Ok(match case {
        Case::Transaction { key, json } => transaction(&secret(&key)?, &json)?,
        Case::Address { key } => {
            let known = secret(&key)?.address();
            vec![address::to_base58(known), address::to_hex(known), address::to_evm(known)]
        }
        Case::MessageV1 { key, bytes } => {
            let digest = message::digest_v1(&exact(&bytes)?);
            signed(&secret(&key)?, digest)
        }
        Case::MessageV2 { key, text } => {
            let digest = message::digest_v2(text.as_bytes())?;
            signed(&secret(&key)?, digest)
        }
        Case::Grant { key, place, grant } => {
            let grant = grant.read()?;
            let mut words = vec![hex(&place.domain().separator()), hex(&grant.session())];
            words.extend(signed(&secret(&key)?, grant.digest(&place.domain())));
            words.push(hex(grant_json(&place.domain(), &grant, Form::Tron).as_bytes()));
            words
        }
        Case::Voucher { key, place, promise } => {
            let (session, payee) = (exact(&promise.session)?, promise.payee.0);
            let voucher = Voucher { session, payee, amount: amount(&promise.amount)? };
            signed(&secret(&key)?, voucher.digest(&place.domain()))
        }
        Case::Reserve { key, place, promise } => {
            let (session, payee) = (exact(&promise.session)?, promise.payee.0);
            let reserve = Reserve { session, payee, amount: amount(&promise.amount)? };
            signed(&secret(&key)?, reserve.digest(&place.domain()))
        }
        Case::Publication { key, place, publication } => {
            signed(&secret(&key)?, publication.read()?.digest(&place.domain()))
        }
    })
}

fn transaction(key: &SecretKey, json: &TransactionJson) -> Result<Vec<String>, Failure> {
    let raw = json.read()?.raw;
    let bytes = raw.encode()?;
    let id = raw.id()?;
    let signed = raw.sign(key)?;
    let [Signature(signature)] = signed.signatures[..] else { return Err("one signature".into()) };
    Ok(vec![hex(&bytes), hex(&id.0), hex(&signature), hex(&signed.encode()?)])
}

fn signed(key: &SecretKey, digest: [u8; 32]) -> Vec<String> {
    vec![hex(&digest), hex(&key.sign(&digest).0)]
}

impl Place {
    fn domain(&self) -> Domain {
        Domain { chain_id: self.chain_id, vault: self.vault.0 }
    }
}

impl GrantCase {
    fn read(&self) -> Result<Grant, Failure> {
        Ok(Grant {
            owner: self.owner.0,
            key: self.key.0,
            cap: amount(&self.cap)?,
            expiry: UnixTime(self.expiry),
            salt: exact(&self.salt)?,
        })
    }
}

impl PublicationCase {
    fn read(&self) -> Result<Publication, Failure> {
        Ok(Publication {
            v1: exact(&self.v1)?,
            v2: exact(&self.v2)?,
            payee: self.payee.0,
            token: self.token.0,
            tip: amount(&self.tip)?,
            price: amount(&self.price)?,
            check: exact(&self.check)?,
        })
    }
}

fn secret(bytes: &HexBytes) -> Result<SecretKey, Failure> {
    Ok(SecretKey::from_bytes(&exact(bytes)?)?)
}

fn amount(text: &str) -> Result<Amount, Failure> {
    Ok(headwater_tron::amount::parse(text, 0)?)
}

fn exact<const N: usize>(bytes: &HexBytes) -> Result<[u8; N], Failure> {
    bytes.0.as_slice().try_into().map_err(|_| format!("{N} bytes needed").into())
}

fn hex(bytes: &[u8]) -> String {
    headwater_base::hex(bytes)
}
