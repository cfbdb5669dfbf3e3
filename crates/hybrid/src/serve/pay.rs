//! Where visitors may pay, as `/pay.json` tells their pages once the chain's node has answered.

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use headwater_tron::address::to_evm;
use headwater_tron::chain::{Chain, Envelope};
use headwater_wire::extended::Rail;
use serde_json::json;

use super::Site;

/// The chain and the vault that this server is paid through.
#[derive(Clone, Debug, Default)]
pub struct PayPlace {
    told: Arc<OnceLock<String>>,
    /// A script that brings visitors a wallet whose tokens are worthless.
    test_wallet: Option<Arc<str>>,
}

impl PayPlace {
    /// With a wallet to try paying with, which pages get where the chain's tokens are worthless.
    pub fn with_test_wallet(test_wallet: Option<String>) -> Self {
        Self { test_wallet: test_wallet.map(Arc::from), ..Self::default() }
    }

    /// Tells it, in the shape that `www/app/payoffer.ts` reads, with a node that pages may ask.
    pub fn tell(&self, rail: &Rail, chain: &Chain, node: &str) {
        let kind = match chain.envelope {
            Envelope::Tron => "tron",
            Envelope::Evm => "evm",
        };
        // Our own node may be nobody else's business, but on test chains there is none other.
        let node = if chain.is_real { chain.rpc } else { Some(node) };
        let told = json!({
            "id": chain.id,
            "kind": kind,
            "name": chain.name,
            "worthless": !chain.is_real,
            "vault": to_evm(rail.vault),
            "token": to_evm(rail.token),
            "asset": chain.asset.map(|number| number.to_string()).unwrap_or_default(),
            "node": node.unwrap_or_default(),
            "test_wallet": self.test_wallet.is_some() && !chain.is_real,
        });
        // It stays as it is until the process ends.
        let _ = self.told.set(format!("{told}\n"));
    }

    /// What a page is told of it in the headers of `/torrents.json`.
    pub(super) fn is_known(&self) -> &'static str {
        if self.told.get().is_some() { "yes" } else { "no" }
    }
}

/// Answers `/pay.json`.
pub(super) async fn place(State(site): State<Arc<Site>>) -> Response {
    let fixed = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match site.pay.told.get() {
        Some(told) => (fixed, told.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, "nothing is sold here\n").into_response(),
    }
}

/// Answers `/test-wallet.js`, which `pay.json` names where it may be used.
pub(super) async fn test_wallet(State(site): State<Arc<Site>>) -> Response {
    let fixed = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match &site.pay.test_wallet {
        Some(script) => (fixed, script.to_string()).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no test wallet\n").into_response(),
    }
}
