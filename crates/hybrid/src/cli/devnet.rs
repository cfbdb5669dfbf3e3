//! `headwater devnet`: a ledger to try payments on, with the face of a TRON node. Everything in it
//! is worthless, and it says so.

use headwater_devnet::genesis;
use headwater_devnet::server::{Options, Server, WARNING};
use headwater_tron::address;
use serde_json::{Value, json};

use super::args::Devnet;
use super::failure::Failure;
use super::{peer, print, print_line};

/// Runs the command.
pub(crate) async fn run(args: Devnet, json: bool) -> Result<(), Failure> {
    let told = peer::told();
    let options = Options { listen: args.listen, file: args.file };
    let server = Server::bind(&options).await.map_err(|e| Failure::failed("devnet", e))?;
    for account in args.fund {
        server.fund(account).map_err(|e| Failure::failed("devnet", e))?;
    }
    if json {
        print(&shown(&server));
    } else {
        print_line(server.banner().trim_end());
    }
    tokio::select! {
        ended = server.run() => ended.map_err(|e| Failure::failed("devnet", e)),
        () = told => Ok(()),
    }
}

/// What a program needs to use the ledger.
fn shown(server: &Server) -> Value {
    let accounts = (0..genesis::ACCOUNTS).map(|number| {
        let key = genesis::account_key(number);
        json!({
            "address": address::to_base58(key.address()),
            "key": headwater_base::hex(&key.to_bytes()),
        })
    });
    json!({
        "event": "listening",
        "url": format!("http://{}", server.address),
        "warning": WARNING,
        "chain": headwater_tron::chain::DEVNET.name,
        "chain_id": genesis::CHAIN_ID,
        "vault": address::to_base58(server.vault),
        "token": address::to_base58(server.btt),
        "asset": genesis::ASSET_ID.to_string(),
        "accounts": accounts.collect::<Vec<_>>(),
    })
}
