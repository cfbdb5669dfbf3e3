//! Plays the sample film: builds what it takes, starts `headwater serve`, says where to look.

mod pay;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use self::pay::Market;
use crate::args::Args;
use crate::run::{cargo, root, run, target_dir, tool};
use crate::{setup, web};

pub(crate) const USAGE: &str = "\
usage: cargo xtask demo [--listen ADDRESS] [--pay]

  --listen   where to serve (127.0.0.1:7420)
  --pay      sell upload slots on a test ledger, and let the film stall until it is paid for

Builds the web app and the headwater program, seeds the film in tests/data/film, and prints the
address to open in a browser. Ctrl-C ends everything.

With --pay the seller has little upload, leeches that pay nothing want it too, and the page has a
wallet whose tokens are worthless: open Paid priority, switch it on, put BTT into the vault, and
grant some of it.";

/// How long the server may take until it seeds the film, in tries a fifth of a second apart.
const TRIES_MAX: usize = 150;

pub(crate) fn run_args(mut args: Args) -> Result<()> {
    let listen = args.value("--listen")?.unwrap_or_else(|| "127.0.0.1:7420".to_owned());
    let pays = args.flag("--pay");
    args.finish()?;
    setup::ensure(true)?;
    if pays {
        setup::npm_packages("tests")?;
    }
    web::build(false)?;
    run(cargo().args(["build", "-p", "headwater-hybrid", "--bin", "headwater"]))?;
    let mut market = if pays { Some(Market::open()?) } else { None };
    let played = play(&listen, market.as_ref());
    if let Some(market) = &mut market {
        market.close();
    }
    played
}

/// Runs the server until it ends.
fn play(listen: &str, market: Option<&Market>) -> Result<()> {
    let mut server = serve(listen, market)?;
    let told = tell(&mut server, market.is_some());
    if told.is_err() {
        server.kill().ok();
    }
    let status = server.wait()?;
    told?;
    if !status.success() && status.code().is_some() {
        bail!("headwater serve: {status}");
    }
    Ok(())
}

/// Ctrl-C reaches the server too, since both are of one foreground group.
fn serve(listen: &str, market: Option<&Market>) -> Result<Child> {
    let mut command: Command = tool(target_dir()?.join("debug/headwater"));
    command.args(["serve", "--listen", listen, "--interface", "127.0.0.1", "--dir"]);
    command.arg(root().join("tests/data/film")).stdout(Stdio::piped());
    if let Some(market) = market {
        market.sell(&mut command)?;
    }
    command.spawn().context("start headwater serve")
}

/// Waits for the server's first line and for the film, then prints the address to open.
fn tell(server: &mut Child, pays: bool) -> Result<()> {
    let stdout = server.stdout.take().context("no stdout")?;
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let url = line.trim().trim_end_matches('/').to_owned();
    let host = url.strip_prefix("http://").context("headwater serve printed no address")?;
    let magnet = film(host)?;
    if pays {
        pay::leech(&magnet)?;
    }
    println!("\nOpen this in a browser:\n\n  {url}/#{magnet}\n\nCtrl-C ends everything.");
    std::io::copy(&mut stdout, &mut std::io::stdout())?;
    Ok(())
}

/// The magnet link of the first torrent that the server seeds.
fn film(host: &str) -> Result<String> {
    for _ in 0..TRIES_MAX {
        let torrents: serde_json::Value = serde_json::from_str(&get(host, "/torrents.json")?)?;
        let list = if torrents.is_array() { &torrents } else { &torrents["torrents"] };
        if let Some(magnet) = list[0]["magnet"].as_str() {
            return Ok(magnet.to_owned());
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    bail!("headwater serve seeds nothing; is tests/data/film there?")
}

/// The body of a plain HTTP answer.
fn get(host: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(host).with_context(|| format!("connect to {host}"))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    if !head.contains(" 200 ") {
        bail!("{path}: {}", head.lines().next().unwrap_or_default());
    }
    Ok(body.to_owned())
}
