//! `demo --pay`: a test ledger, a wallet for it, a seller with little upload, and leeches that want
//! it too, so that the film stalls until it is paid for.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::run::{root, run, target_dir, tool};

/// What the seller gives, in bytes a second. The film takes 78,000 a second to play.
const UPLOAD: &str = "240000";

/// Leeches that pay nothing, and how often each begins anew at most.
const LEECHES: usize = 4;
const ROUNDS_MAX: usize = 200;

/// A ledger, and what a server is told so that it sells there.
pub(super) struct Market {
    ledger: Child,
    wallet: PathBuf,
    told: serde_json::Value,
}

impl Market {
    /// Starts the ledger and makes the wallet for it.
    pub(super) fn open() -> Result<Self> {
        let mut command = tool(target_dir()?.join("debug/headwater"));
        command.args(["devnet", "--listen", "127.0.0.1:0", "--json"]).stdout(Stdio::piped());
        let mut ledger = command.spawn().context("start headwater devnet")?;
        let mut line = String::new();
        let stdout = ledger.stdout.take().context("no stdout")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let told: serde_json::Value = serde_json::from_str(&line).context("headwater devnet")?;
        let wallet = target_dir()?.join("web/test-wallet.js");
        let market = Self { ledger, wallet, told };
        market.bundle()?;
        Ok(market)
    }

    /// Puts the wallet and the ledger's address and key into one script.
    fn bundle(&self) -> Result<()> {
        let mut esbuild = tool(root().join("www/node_modules/.bin/esbuild"));
        esbuild.args(["tests/wallet/built_in.mjs", "--bundle", "--minify", "--format=iife"]);
        esbuild.args(["--log-level=warning", "--platform=browser"]);
        for (name, value) in [
            ("NODE", &self.told["url"]),
            ("KEY", &self.told["accounts"][0]["key"]),
            ("CHAIN_ID", &self.told["chain_id"]),
        ] {
            esbuild.arg(format!("--define:{name}={value}"));
        }
        run(esbuild.arg(format!("--outfile={}", self.wallet.display())))
    }

    /// Has the server sell.
    pub(super) fn sell(&self, serve: &mut Command) -> Result<()> {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let (Some(node), Some(vault), Some(payee)) = (
            text(&self.told["url"]),
            text(&self.told["vault"]),
            text(&self.told["accounts"][1]["address"]),
        ) else {
            bail!("headwater devnet told neither its address nor its vault");
        };
        serve.args(["--sell", "--payee", &payee, "--pay-node", &node, "--vault", &vault]);
        serve.args(["--pay-chain", "local", "--upload-limit", UPLOAD]);
        serve.arg("--test-wallet").arg(&self.wallet);
        Ok(())
    }

    /// Ends the ledger.
    pub(super) fn close(&mut self) {
        self.ledger.kill().ok();
        self.ledger.wait().ok();
    }
}

/// Has leeches fetch the film over and over, each into a folder of its own that is emptied.
#[expect(clippy::disallowed_methods, reason = "each leech is waited for by a thread")]
pub(super) fn leech(magnet: &str) -> Result<()> {
    let program = target_dir()?.join("debug/headwater");
    for number in 0..LEECHES {
        let folder = target_dir()?.join(format!("demo/leech-{number}"));
        let (program, magnet) = (program.clone(), magnet.to_owned());
        // They end with the process, whose group Ctrl-C reaches as a whole.
        thread::spawn(move || {
            for _ in 0..ROUNDS_MAX {
                if get(&program, &magnet, &folder).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}

fn get(program: &Path, magnet: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let mut get = tool(program);
    get.args(["get", magnet, "--interface", "127.0.0.1", "--upload-limit", "1000", "-o"]);
    run(get.arg(folder).stdout(Stdio::null()).stderr(Stdio::null()))
}
