//! The chains that payments may run on, and how each differs: nothing else in this crate knows.

use headwater_base::Address;

use crate::address::{to_base58, to_evm};

/// How transactions are written, sent and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// TRON's protobuf, through the node's HTTP API.
    Tron,
    /// Ethereum's, through the node's JSON-RPC.
    Evm,
}

/// The token in which is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A contract of the TRC-20 kind.
    Contract(Address),
    /// The chain's own coin.
    Native,
    /// A contract that only the one who started the chain knows.
    Local,
}

/// A chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// How settings name it.
    pub name: &'static str,
    /// Its id in signatures.
    pub id: u64,
    /// How transactions are written.
    pub envelope: Envelope,
    /// The token.
    pub token: Token,
    /// What people call the token.
    pub symbol: &'static str,
    /// Decimal places of the token.
    pub decimals: u8,
    /// The number of the old BTT, a TRC-10 asset, where the chain has it. How many decimals it
    /// has is not known for sure, so nothing converts its amounts.
    pub asset: Option<u64>,
    /// What people call the coin that pays for transactions.
    pub coin: &'static str,
    /// Decimal places of that coin.
    pub coin_decimals: u8,
    /// A public node's URL, where one is known.
    pub rpc: Option<&'static str>,
    /// Whether its tokens are worth something. Interfaces say so where they are not.
    pub is_real: bool,
}

/// The contract of BTT on TRON: `TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4`.
const BTT: Address = Address([
    0x03, 0x20, 0x17, 0x41, 0x1f, 0x46, 0x63, 0xb3, 0x17, 0xfe, 0x77, 0xc2, 0x57, 0xd2, 0x8d, 0x5c,
    0xd1, 0xb2, 0x6e, 0x3d,
]);

/// TRON itself.
pub const TRON: Chain = Chain {
    name: "tron",
    id: 728_126_428,
    envelope: Envelope::Tron,
    token: Token::Contract(BTT),
    symbol: "BTT",
    decimals: 18,
    asset: Some(1_002_000),
    coin: "TRX",
    coin_decimals: 6,
    rpc: Some("https://api.trongrid.io"),
    is_real: true,
};

/// TRON's public test chain.
pub const NILE: Chain = Chain {
    name: "nile",
    id: 3_448_148_188,
    token: Token::Local,
    asset: None,
    rpc: Some("https://nile.trongrid.io"),
    is_real: false,
    ..TRON
};

/// BitTorrent Chain, where BTT is the chain's own coin.
pub const BTTC: Chain = Chain {
    name: "bttc",
    id: 199,
    envelope: Envelope::Evm,
    token: Token::Native,
    symbol: "BTT",
    decimals: 18,
    asset: None,
    coin: "BTT",
    coin_decimals: 18,
    rpc: Some("https://rpc.bt.io"),
    is_real: true,
};

/// BitTorrent Chain's public test chain.
pub const DONAU: Chain =
    Chain { name: "donau", id: 1029, rpc: Some("https://pre-rpc.bt.io"), is_real: false, ..BTTC };

/// The test ledger of this project. Its id is none of a public chain, so that nothing signed for
/// one counts on the other.
pub const DEVNET: Chain = Chain {
    name: "devnet",
    id: 0x4857_0001,
    token: Token::Local,
    rpc: Some("http://127.0.0.1:7421"),
    is_real: false,
    ..TRON
};

/// All of them.
pub const CHAINS: [Chain; 5] = [TRON, NILE, BTTC, DONAU, DEVNET];

impl Chain {
    /// The chain that settings call so.
    pub fn named(name: &str) -> Option<&'static Self> {
        CHAINS.iter().find(|chain| chain.name == name)
    }

    /// An address as people on this chain know it.
    pub fn show(&self, address: Address) -> String {
        match self.envelope {
            Envelope::Tron => to_base58(address),
            Envelope::Evm => to_evm(address),
        }
    }

    /// An address as people know it on the chain with that id, or on TRON where none is known.
    pub fn show_on(id: u64, address: Address) -> String {
        Self::by_id(id).map_or_else(|| to_base58(address), |chain| chain.show(address))
    }

    /// The chain with that id in signatures.
    pub fn by_id(id: u64) -> Option<&'static Self> {
        CHAINS.iter().find(|chain| chain.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;

    #[test]
    fn token_of_tron_is_the_one_exchanges_list() {
        let listed = address::parse("TAFjULxiVgT4qWk6UZwjqwZXTSaGaqnVp4").map(Token::Contract);
        assert_eq!(listed, Ok(TRON.token));
    }

    #[test]
    fn no_two_chains_share_a_name_or_an_id() {
        for (at, chain) in CHAINS.iter().enumerate() {
            assert_eq!(Chain::named(chain.name), Some(&CHAINS[at]));
            assert_eq!(Chain::by_id(chain.id), Some(&CHAINS[at]));
        }
        assert_eq!(Chain::named("mainnet"), None);
    }

    #[test]
    fn address_is_shown_as_the_chain_writes_it() {
        let address = Address([0x44; 20]);
        assert_eq!(TRON.show(address), "TGCAjMXComunWZEXCT1LPBdcYbDVuyexBv");
        assert_eq!(BTTC.show(address), "0x4444444444444444444444444444444444444444");
    }

    #[test]
    fn only_public_chains_with_value_are_real() {
        let real: Vec<_> = CHAINS.iter().filter(|chain| chain.is_real).collect();
        assert_eq!(real, [&TRON, &BTTC]);
    }

    #[test]
    fn ids_fit_a_number_of_javascript_and_the_32_bits_of_tron() {
        assert!(CHAINS.iter().all(|chain| u32::try_from(chain.id).is_ok()));
        assert_eq!(TRON.id, 0x2b66_53dc);
        assert_eq!(NILE.id, 0xcd86_90dc);
    }
}
