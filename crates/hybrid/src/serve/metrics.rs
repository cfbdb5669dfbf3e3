//! Figures in the text format that Prometheus reads.

use std::fmt::{Display, Write};

use headwater_client::{EngineView, TorrentView};
use headwater_pay::PayView;
use headwater_tracker::{Figure, FleetStats, Stats};
use headwater_tron::amount;
use headwater_tron::chain::DEVNET;

use crate::bridge::BridgeStats;
use crate::shell::Totals;

/// Everything that is shown.
pub(super) struct Figures {
    pub(super) engine: EngineView,
    pub(super) torrents: Vec<TorrentView>,
    pub(super) links: Totals,
    pub(super) tracker: Stats,
    pub(super) bridge: Option<BridgeStats>,
    /// What is sold, where anything is.
    pub(super) sold: Option<PayView>,
    /// Ports that a router leads to ours.
    pub(super) ports_mapped: u64,
    pub(super) tasks: u64,
}

/// Writes all figures.
pub(super) fn text(figures: &Figures) -> String {
    let Figures { engine, torrents, links, tracker, bridge, sold, ports_mapped, tasks } = figures;
    let sum = |of: fn(&TorrentView) -> u64| torrents.iter().map(of).sum::<u64>();
    let rows = [
        ("torrents", "gauge", "Torrents that are shared.", torrents.len() as u64),
        ("peers", "gauge", "Peers that finished their handshake.", engine.peers as u64),
        ("download_bytes_per_second", "gauge", "Payload coming in.", engine.download_speed),
        ("upload_bytes_per_second", "gauge", "Payload going out.", engine.upload_speed),
        ("downloaded_bytes_total", "counter", "Payload fetched.", sum(|t| t.downloaded.0)),
        ("uploaded_bytes_total", "counter", "Payload sent.", sum(|t| t.uploaded.0)),
        ("wasted_bytes_total", "counter", "Payload thrown away.", sum(|t| t.wasted.0)),
        ("links", "gauge", "Links and attempts alive.", links.alive),
        ("links_opened_total", "counter", "Links that opened.", links.opened),
        ("link_received_bytes_total", "counter", "Bytes that links brought.", links.received),
        ("link_sent_bytes_total", "counter", "Bytes that links took.", links.sent),
        ("addresses_refused_total", "counter", "Addresses refused by a list.", links.refused),
        ("ports_mapped", "gauge", "Ports that a router leads to ours.", *ports_mapped),
        ("tasks", "gauge", "Tasks that run.", *tasks),
    ];
    let mut out = String::new();
    for (name, kind, help, value) in rows {
        row(&mut out, name, kind, help, value);
    }
    if let Some(stats) = bridge {
        bridge_rows(&mut out, stats);
    }
    if let Some(view) = sold {
        money_rows(&mut out, view);
    }
    let fleet = tracker.fleet.iter().flat_map(FleetStats::figures);
    let fleet = fleet.map(|figure| ("Of the fleet.", figure));
    let tracker = tracker.figures().into_iter().map(|figure| ("Of the tracker.", figure));
    for (help, (name, kind, value)) in tracker.chain(fleet) {
        let kind = match kind {
            Figure::Gauge => "gauge",
            Figure::Counter => "counter",
        };
        row(&mut out, name, kind, help, value);
    }
    out
}

fn bridge_rows(out: &mut String, stats: &BridgeStats) {
    let rows = [
        ("bridge_torrents", "gauge", "Torrents bridged now.", stats.torrents),
        ("bridge_joined_total", "counter", "Torrents joined for browsers.", stats.joined),
        ("bridge_left_total", "counter", "Torrents left since nobody needed them.", stats.left),
        ("bridge_refused_total", "counter", "Announces that were not bridged.", stats.refused),
        ("bridge_cached_bytes", "gauge", "Bytes in the bridge's cache.", stats.cached_bytes),
        ("bridge_evicted_total", "counter", "Torrents whose cache made way.", stats.evicted),
    ];
    for (name, kind, help, value) in rows {
        row(out, name, kind, help, value);
    }
}

fn money_rows(out: &mut String, view: &PayView) {
    let rows = [
        ("pay_earned_btt_total", "counter", "What was promised to us.", view.earned),
        ("pay_claimed_btt_total", "counter", "What of it the chain has paid.", view.claimed),
        ("pay_owed_btt", "gauge", "What was sent and is not promised yet.", view.owed),
    ];
    for (name, kind, help, value) in rows {
        row(out, name, kind, help, amount::text(value, DEVNET.decimals));
    }
}

fn row(out: &mut String, name: &str, kind: &str, help: &str, value: impl Display) {
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "# HELP headwater_{name} {help}\n# TYPE headwater_{name} {kind}\nheadwater_{name} {value}\n"
    );
}
