//! Money in the control API: what was sold and is owed, and claiming it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use headwater_base::Amount;
use headwater_pay::{PayView, SellerView};
use serde_json::{Value, json};

use super::super::Site;
use super::{Denied, answer};

/// `GET /pay`.
pub(super) async fn view(State(site): State<Arc<Site>>) -> Result<Response, Denied> {
    let pays = site.shell.pays().await?;
    let view = site.shell.client(|client, _| client.pay_view()).await?;
    Ok(answer(StatusCode::OK, &shown(pays, &view)))
}

/// `POST /pay/claim`: claims all that is worth its fee. What comes of it shows in the records.
pub(super) async fn claim(State(site): State<Arc<Site>>) -> Result<Response, Denied> {
    if !site.shell.pays().await? {
        let why = "this server sells nothing: it was started without --sell";
        return Err(Denied::new(StatusCode::CONFLICT, "not-selling", why));
    }
    site.shell.client(|client, now| client.claim_pay(now)).await?;
    let view = site.shell.client(|client, _| client.pay_view()).await?;
    Ok(answer(StatusCode::ACCEPTED, &shown(true, &view)))
}

/// Amounts are base units in text: JSON's numbers do not hold them.
fn shown(selling: bool, view: &PayView) -> Value {
    let units = |amount: Amount| amount.0.to_string();
    let open = Amount(view.earned.0.saturating_sub(view.claimed.0));
    let link = |sold: &SellerView| {
        let (link, charged) = (sold.link.0, units(sold.charged));
        json!({ "link": link, "sold_bytes": sold.bytes, "charged": charged })
    };
    let links: Vec<_> = view.selling.iter().map(link).collect();
    json!({
        "selling": selling,
        "earned": units(view.earned), "claimed": units(view.claimed), "open": units(open),
        "owed": units(view.owed), "links": links,
    })
}
