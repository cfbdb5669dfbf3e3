//! The contracts that a ledger starts with, and those that tests put beside them, as they are kept
//! compiled in the repository.

use serde_json::Value;

/// A compiled contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Its name in the source.
    pub name: String,
    /// Its interface, as the compiler tells it.
    pub abi: Value,
    /// The code that makes it; the constructor's arguments follow it.
    pub bytecode: Vec<u8>,
}

/// Holds deposits and pays vouchers out of them.
pub fn vault() -> Contract {
    read(include_str!("../../tron/contracts/vault.json"))
}

/// A token like BTT, worth nothing.
pub fn test_btt() -> Contract {
    read(include_str!("../contracts/test_btt.json"))
}

/// A token that behaves as it is told to, mostly badly.
pub fn hostile_token() -> Contract {
    read(include_str!("../contracts/hostile_token.json"))
}

/// An account with code, which may refuse coin or call back on being paid.
pub fn account() -> Contract {
    read(include_str!("../contracts/account.json"))
}

fn read(kept: &str) -> Contract {
    let kept: Value = serde_json::from_str(kept).expect("compiled contracts are JSON");
    let text = |key: &str| kept[key].as_str().expect("a compiled contract has its fields");
    let bytecode = headwater_base::unhex(text("bytecode")).expect("bytecode is hex");
    Contract { name: text("contract").to_owned(), abi: kept["abi"].clone(), bytecode }
}
