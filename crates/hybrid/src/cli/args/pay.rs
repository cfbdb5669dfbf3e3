//! What the command line may say of money. Amounts are of BTT, in decimals.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use headwater_base::{Address, Amount};
use headwater_tron::chain::{self, Chain};
use headwater_tron::{address, amount};

/// How `serve` sells upload slots.
#[derive(Args, Clone, Debug)]
pub(crate) struct Sell {
    /// Sell upload slots to peers that pay in BTT. Whoever does not pay keeps what it has.
    #[arg(long)]
    pub(crate) sell: bool,
    /// The account that is paid.
    #[arg(long, value_name = "ADDRESS", value_parser = account)]
    pub(crate) payee: Option<Address>,
    /// The least price of a GiB, in BTT.
    #[arg(long, value_name = "N", value_parser = price, default_value = "10")]
    pub(crate) price: Amount,
    /// Most upload slots sold at once; never more than half of all.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) sold_slots: u16,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    #[command(flatten)]
    pub(crate) claims: Claims,
    /// Bring visitors a wallet to try paying with: a script for their pages that announces it
    /// (TIP-6963). Only where the chain's tokens are worthless.
    #[arg(long, value_name = "FILE")]
    pub(crate) test_wallet: Option<PathBuf>,
}

/// When vouchers are brought to the chain, and how much may be open until then.
#[derive(Args, Clone, Debug)]
pub(crate) struct Claims {
    /// Most that one payer may have promised and not paid on the chain, in BTT.
    #[arg(long, value_name = "N", value_parser = btt, default_value = "1000")]
    pub(crate) max_unsecured: Amount,
    /// Submit claims with the key in this file, which is made if it is not there. Its account pays
    /// the fees and gets nothing: vouchers pay --payee. Without it claims are left to `headwater
    /// pay`.
    #[arg(long, value_name = "FILE")]
    pub(crate) claim_key: Option<PathBuf>,
    /// What a claim costs, in BTT's worth. Without it nothing is claimed by itself on a chain whose
    /// tokens have a worth.
    #[arg(long, value_name = "N", value_parser = btt)]
    pub(crate) claim_fee: Option<Amount>,
    /// Claim once so many fees are open: 20 lets a claim cost 5 % of what it brings.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) claim_factor: u32,
}

/// What `seed` asks for the key of what it shares.
#[derive(Args, Clone, Debug)]
pub(crate) struct Price {
    /// Encrypt what is shared, and sell its key for so many BTT. Anybody may share it on; who paid
    /// sees it. Needs --payee and --publisher-key.
    #[arg(long, value_name = "N", value_parser = btt, conflicts_with = "torrent")]
    pub(crate) price: Option<Amount>,
    /// Where the encrypted files go [default: in --state].
    #[arg(long, value_name = "DIR", requires = "price")]
    pub(crate) output: Option<PathBuf>,
    /// Where keys and payments are kept [default: where programs of this user keep their state].
    #[arg(long, value_name = "DIR", requires = "price")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) claims: Claims,
}

/// Where money moves.
#[derive(Args, Clone, Debug)]
pub(crate) struct ChainArgs {
    /// The node that is asked [default: a public one of the chain; that of `headwater devnet`].
    #[arg(long, value_name = "URL")]
    pub(crate) pay_node: Option<String>,
    /// The chain; of TRON's, what is not said is found out by the vault [default: local, or with
    /// --pay-node that of the vault].
    #[arg(long, value_name = "NAME")]
    pub(crate) pay_chain: Option<ChainName>,
    /// The vault that holds deposits [default: that of `headwater devnet`].
    #[arg(long, value_name = "ADDRESS", value_parser = account)]
    pub(crate) vault: Option<Address>,
}

/// A chain that is claimed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ChainName {
    /// TRON itself.
    Tron,
    /// TRON's public test chain.
    Nile,
    /// BitTorrent Chain, where claims cost the least.
    Bttc,
    /// BitTorrent Chain's public test chain.
    Donau,
    /// What `headwater devnet` runs.
    Local,
}

impl ChainName {
    /// What is known of it.
    pub(crate) fn chain(self) -> &'static Chain {
        match self {
            Self::Tron => &chain::TRON,
            Self::Nile => &chain::NILE,
            Self::Bttc => &chain::BTTC,
            Self::Donau => &chain::DONAU,
            Self::Local => &chain::DEVNET,
        }
    }
}

/// What a torrent says of its publisher.
#[derive(Args, Clone, Debug)]
pub(crate) struct Publish {
    /// Suggest a tip of so many BTT to whoever likes it.
    #[arg(long, value_name = "N", value_parser = btt)]
    pub(crate) tip: Option<Amount>,
    /// The account that tips go to; the torrent and its magnet link name it.
    #[arg(long, value_name = "ADDRESS", value_parser = account)]
    pub(crate) payee: Option<Address>,
    /// Sign that with the key in this file, which is made if it is not there. It is the publisher's
    /// name and owns nothing: use no wallet's key.
    #[arg(long, value_name = "FILE")]
    pub(crate) publisher_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

/// What `headwater pay` does.
#[derive(Debug, Subcommand)]
pub(crate) enum Pay {
    /// Say what was earned, claimed, and is open.
    Status(Where),
    /// Bring what is open to the chain.
    Claim(Claim),
    /// Write what is open as JSON that anybody may submit.
    Export(Export),
}

/// Where a server keeps its payments.
#[derive(Args, Clone, Debug)]
pub(crate) struct Where {
    /// What the server was told as --state.
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// What the server was told as --dir.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Arguments of `pay claim`.
#[derive(Args, Debug)]
pub(crate) struct Claim {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    /// The file of the key whose account pays the fees, as `serve` made or takes it.
    #[arg(long, value_name = "FILE")]
    pub(crate) claim_key: PathBuf,
    /// What a claim costs, in BTT's worth: vouchers that are worth no more are left. Needed where
    /// the chain's tokens have a worth, unless all is claimed [default: 1 where they have none].
    #[arg(long, value_name = "N", value_parser = btt)]
    pub(crate) claim_fee: Option<Amount>,
    /// Ask the node through this proxy, as `serve` does.
    #[arg(long, value_name = "URL", env = "HEADWATER_PROXY", hide_env_values = true)]
    pub(crate) proxy: Option<String>,
    /// Claim whatever it is worth.
    #[arg(long)]
    pub(crate) all: bool,
}

/// Arguments of `pay export`.
#[derive(Args, Debug)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Where it goes [default: stdout].
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Reads an account in any of its forms.
pub(crate) fn account(text: &str) -> Result<Address, String> {
    address::parse(text).map_err(|error| error.to_string())
}

/// Reads an amount of BTT.
fn btt(text: &str) -> Result<Amount, String> {
    amount::parse(text, chain::DEVNET.decimals).map_err(|error| error.to_string())
}

/// Reads a price of a GiB as that of a MiB.
fn price(text: &str) -> Result<Amount, String> {
    let Amount(of_gib) = btt(text)?;
    let of_mib = Amount(of_gib / 1024);
    let allowed = headwater_pay::limit::PRICE_MAX;
    if of_mib.0 == 0 || of_mib.0 > allowed {
        return Err("a price above nothing expected that somebody could pay".to_owned());
    }
    Ok(of_mib)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn price_of_a_gib_is_taken_as_that_of_a_mib() {
        assert_eq!(price("10"), Ok(Amount(10_000_000_000_000_000_000 / 1024)));
        assert_eq!(price("0.000000000000001024"), Ok(Amount(1)));
        for bad in ["0", "0.000000000000001", "-1", "10 BTT", "1000000000000000"] {
            assert!(price(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_chain_has_a_name_here_that_is_its_own() {
        for name in ChainName::value_variants() {
            let said = name.to_possible_value().expect("it is no hidden one");
            let known = name.chain().name.replace("devnet", "local");
            assert_eq!(said.get_name(), known);
        }
        assert_eq!(ChainName::value_variants().len(), chain::CHAINS.len());
    }
}
