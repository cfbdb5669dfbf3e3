//! A token of the TRC-20 kind. Some return nothing where they should return true, so an empty
//! answer counts as done; `false` never does.

use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use headwater_base::{Address, Amount};

use super::sol::Token;
use super::{AbiError, to_sol};
use crate::limit;
use crate::node::Words;

/// Allows `spender` to take so much of the caller's tokens.
pub fn approve(spender: Address, amount: Amount) -> Vec<u8> {
    Token::approveCall { spender: to_sol(spender), amount: U256::from(amount.0) }.abi_encode()
}

/// Sends tokens of the caller.
pub fn transfer(to: Address, amount: Amount) -> Vec<u8> {
    Token::transferCall { to: to_sol(to), amount: U256::from(amount.0) }.abi_encode()
}

/// Asks how many tokens an account has.
pub fn balance_of(owner: Address) -> Vec<u8> {
    Token::balanceOfCall { owner: to_sol(owner) }.abi_encode()
}

/// Asks how many of an owner's tokens somebody may take.
pub fn allowance(owner: Address, spender: Address) -> Vec<u8> {
    Token::allowanceCall { owner: to_sol(owner), spender: to_sol(spender) }.abi_encode()
}

/// Asks for the decimal places of a whole token.
pub fn decimals() -> Vec<u8> {
    Token::decimalsCall {}.abi_encode()
}

/// Asks for the token's short name.
pub fn symbol() -> Vec<u8> {
    Token::symbolCall {}.abi_encode()
}

/// Reads a balance or an allowance. An allowance of more than 128 bits is as good as the largest;
/// a balance so large exists nowhere.
pub fn read_amount(returned: &[u8]) -> Result<Amount, AbiError> {
    let word = word("amount", returned)?;
    let value = U256::from_be_bytes(word);
    Ok(Amount(u128::try_from(value).unwrap_or(u128::MAX)))
}

/// Reads whether `approve` or `transfer` was done: true, or nothing at all.
pub fn read_done(returned: &[u8]) -> bool {
    match returned {
        [] => true,
        _ => word("result", returned).is_ok_and(|word| word != [0; 32]),
    }
}

/// Reads the decimal places.
pub fn read_decimals(returned: &[u8]) -> Result<u8, AbiError> {
    let [rest @ .., last] = word("decimals", returned)?;
    if rest == [0; 31] { Ok(last) } else { Err(AbiError::Large { what: "decimals" }) }
}

/// Reads the short name: a string, or in old tokens 32 bytes with zeros at their end.
pub fn read_symbol(returned: &[u8]) -> Result<Words, AbiError> {
    let form = AbiError::Form { what: "symbol", found: returned.len() };
    super::reason::bounded(returned)?;
    if let Ok(text) = Token::symbolCall::abi_decode_returns(returned) {
        return Ok(Words::of(&text));
    }
    let word = word("symbol", returned)?;
    let end = word.iter().position(|byte| *byte == 0).unwrap_or(word.len());
    core::str::from_utf8(&word[..end]).map(Words::of).map_err(|_| form)
}

fn word(what: &'static str, returned: &[u8]) -> Result<[u8; 32], AbiError> {
    let found = returned.len();
    if found > limit::CALL_BYTES_MAX {
        return Err(AbiError::TooLong { found, allowed: limit::CALL_BYTES_MAX });
    }
    returned.first_chunk().copied().ok_or(AbiError::Form { what, found })
}
