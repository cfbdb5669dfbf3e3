//! `headwater create`: a torrent file of a file or folder.

use std::fs;
use std::path::PathBuf;

use headwater_metainfo::Torrent;
use headwater_metainfo::create::Options;
use headwater_metainfo::show::Summary;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::args::Create;
use super::content::{Content, MakeError};
use super::failure::Failure;
use super::publisher::{Publisher, Told};
use super::show::full;
use super::{print, print_line, wait};

/// Runs the command.
pub(crate) fn run(args: &Create, json: bool) -> Result<(), Failure> {
    let version = args.kind.version().unwrap_or_default();
    let content = Content::at(&args.path).map_err(|e| refused(&e))?.for_version(version);
    let options = Options {
        version,
        piece_length: args.piece_length,
        trackers: args.tracker.iter().map(|url| vec![url.clone()]).collect(),
        web_seeds: args.web_seed.clone(),
        private: args.private,
        comment: args.comment.clone(),
        ..defaults()
    };
    let publisher = wait(Publisher::read(&args.publish, args.proxy.as_deref()))?;
    let mut torrent = hash(&content, options)?;
    if let Some(publisher) = publisher {
        publisher.sign(&mut torrent, None);
    }
    let name = PathBuf::from(format!("{}.torrent", torrent.name));
    let output = args.output.clone().unwrap_or(name);
    fs::write(&output, torrent.to_bytes()).map_err(|e| Failure::file(&output, &e))?;
    let magnet = torrent.magnet().to_string();
    if json {
        let told = torrent.publication.as_ref().map(|said| Told::of(said, &(&torrent).into()));
        let mut shown = full(&Summary::from(&torrent), told.as_ref());
        shown["path"] = json!(output.display().to_string());
        shown["magnet"] = json!(magnet);
        print(&shown);
    } else {
        print_line(&format!("{}\n{magnet}", output.display()));
    }
    Ok(())
}

/// What every torrent made here says.
pub(crate) fn defaults() -> Options {
    let created_by = Some(concat!("Headwater/", env!("CARGO_PKG_VERSION")).to_owned());
    Options { created_by, ..Options::default() }
}

/// Hashes with a progress bar on stderr.
pub(crate) fn hash(content: &Content, options: Options) -> Result<Torrent, Failure> {
    let bar = bar(&content.name, content.length());
    let torrent = content.hash(options, |done| bar.set_position(done));
    bar.finish_and_clear();
    torrent.map_err(|e| refused(&e))
}

/// Shows on stderr how much of so many bytes is hashed.
pub(crate) fn bar(name: &str, length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length).with_message(name.to_owned());
    bar.set_style(style("hashing {wide_msg} {bar:24} {bytes}/{total_bytes} {bytes_per_sec}"));
    bar
}

/// A style by template; a wrong one is a plain bar.
pub(crate) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn refused(error: &MakeError) -> Failure {
    Failure::input(error.code(), error)
}
