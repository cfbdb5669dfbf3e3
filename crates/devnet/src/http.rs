//! A node's HTTP interface as values: a path and its parameters in, JSON out. Knows no socket.

mod accounts;
mod ask;
mod blocks;
mod calls;
mod chain;
mod events;
mod transactions;

use headwater_tron::transaction::{Transaction, TransactionId, UnixMillis};
use serde_json::{Value, json};

use crate::genesis::Places;
use crate::journal::Journal;
use crate::ledger::{Ledger, Refusal};
pub(crate) use ask::Ask;

/// A ledger with its file, its clock, and a faucet.
#[derive(Debug)]
pub(crate) struct Node {
    ledger: Ledger,
    journal: Journal,
    places: Places,
    /// How far the ledger's time was turned ahead of the world's, in milliseconds.
    ahead: u64,
}

impl Node {
    pub(crate) fn new(ledger: Ledger, journal: Journal, places: Places) -> Self {
        Self { ledger, journal, places, ahead: 0 }
    }

    /// The answer to a request, or nothing for a path that a node does not have.
    pub(crate) fn answer(&mut self, world: UnixMillis, ask: &Ask) -> Option<Value> {
        let now = self.turned(world);
        self.tick(now);
        let answer = match ask.path.split_once('/') {
            Some(("wallet" | "walletsolidity", name)) => self.wallet(now, name, ask)?,
            Some(("v1", rest)) => events::answer(&self.ledger, rest, ask)?,
            Some(("devnet", name)) => self.own(now, name, ask)?,
            None if ask.path.is_empty() => Ok(self.places_json()),
            Some(_) | None => return None,
        };
        Some(answer.unwrap_or_else(|error| json!({ "Error": error })))
    }

    fn wallet(&mut self, now: UnixMillis, name: &str, ask: &Ask) -> Option<Answer> {
        if let Some(answer) = self.broadcasts(now, name, ask) {
            return Some(answer);
        }
        let ledger = &self.ledger;
        accounts::answer(ledger, name, ask)
            .or_else(|| blocks::answer(ledger, name, ask))
            .or_else(|| transactions::answer(ledger, name, ask))
            .or_else(|| calls::answer(ledger, name, ask))
            .or_else(|| chain::answer(ledger, name, ask))
    }

    fn broadcasts(&mut self, now: UnixMillis, name: &str, ask: &Ask) -> Option<Answer> {
        let read = match name {
            "broadcasttransaction" => transactions::read_json(ask),
            "broadcasthex" => transactions::read_hex(ask),
            _ => return None,
        };
        let read = match read {
            Ok(read) => read,
            Err(error) => return Some(Ok(transactions::refused(None, &error))),
        };
        let id = read.id().ok();
        Some(Ok(match self.broadcast(now, &read) {
            Ok(id) => transactions::taken(id, &read, name == "broadcasthex"),
            Err(refusal) => transactions::refused(id, &refusal),
        }))
    }

    /// What only a test ledger has: a faucet, a clock that can be turned, and its places.
    fn own(&mut self, now: UnixMillis, name: &str, ask: &Ask) -> Option<Answer> {
        match name {
            "faucet" => Some(self.give(now, ask)),
            "advance" => Some(ask.number("seconds").map(|seconds| {
                let millis = seconds.saturating_mul(1_000);
                self.ahead = self.ahead.saturating_add(millis);
                self.tick(UnixMillis(now.0.saturating_add(millis)));
                json!({ "timestamp": self.ledger.head().millis.0 })
            })),
            "info" => Some(Ok(self.places_json())),
            _ => None,
        }
    }

    fn give(&mut self, now: UnixMillis, ask: &Ask) -> Answer {
        let to = ask.address("address")?;
        let gifts = self.places.gift(&self.ledger, to).map_err(|error| error.to_string())?;
        let mut ids = Vec::new();
        for gift in gifts {
            let id = self.broadcast(now, &gift).map_err(|refusal| refusal.to_string())?;
            ids.push(headwater_base::hex(&id.0));
        }
        Ok(json!({ "given": ids, "worth": "nothing" }))
    }

    fn broadcast(
        &mut self,
        now: UnixMillis,
        transaction: &Transaction,
    ) -> Result<TransactionId, Refusal> {
        if self.journal.has_failed() {
            return Err(Refusal::Disk);
        }
        let id = self.ledger.broadcast(now, transaction)?;
        let millis = self.ledger.head().millis;
        self.journal.note(millis, Some(transaction)).map_err(|_| Refusal::Disk)?;
        Ok(id)
    }

    /// The ledger's time: the world's, turned ahead, and never before its newest block.
    fn turned(&mut self, world: UnixMillis) -> UnixMillis {
        let head = self.ledger.head().millis;
        self.ahead = self.ahead.max(head.0.saturating_sub(world.0));
        UnixMillis(world.0.saturating_add(self.ahead))
    }

    /// Makes a block if one is due.
    fn tick(&mut self, now: UnixMillis) {
        if self.ledger.is_due(now) && self.journal.note(now, None).is_ok() {
            self.ledger.tick(now);
        }
    }

    fn places_json(&self) -> Value {
        let text = headwater_tron::address::to_base58;
        json!({
            "warning": crate::server::WARNING,
            "chainId": self.ledger.chain_id(),
            "vault": text(self.places.vault),
            "token": text(self.places.btt),
            "asset": crate::genesis::ASSET_ID.to_string(),
        })
    }
}

/// An answer, or what is wrong with the request, which a node tells with status 200.
type Answer = Result<Value, String>;
