//! The vault: deposits, claims, reserves, exits, and what it tells of them.

use alloy_sol_types::SolCall;
use headwater_base::{Address, Amount, Digest256, Signature, UnixTime};

use super::sol::{self, Vault};
use super::{AbiError, of_sol, to_sol};
use crate::limit;
use crate::typed::Grant;

/// A grant with its signature, and what its key promised one payee: everything a claim needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What the owner granted.
    pub grant: Grant,
    /// The owner's signature of it.
    pub owner_signature: Signature,
    /// Who is paid.
    pub payee: Address,
    /// All that was promised so far.
    pub amount: Amount,
    /// The session key's signature: of a voucher to claim, of a reserve to keep.
    pub key_signature: Signature,
}

/// What a vault holds of an owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VaultAccount {
    /// All of it, what is reserved and what leaves included.
    pub balance: Amount,
    /// What is kept for payees.
    pub reserved: Amount,
    /// What was asked to leave.
    pub exiting: Amount,
    /// When that may leave; 0 when nothing was asked.
    pub exit_at: UnixTime,
}

/// What is kept for one payee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// How much.
    pub amount: Amount,
    /// Until when.
    pub until: UnixTime,
    /// Of whose deposit.
    pub owner: Address,
}

/// Puts so much into the vault; the token must be approved before, a native coin is sent along.
pub fn deposit(amount: Amount) -> Vec<u8> {
    Vault::depositCall { amount: amount.0 }.abi_encode()
}

/// Claims what one payee was promised.
pub fn claim(claim: &Claim) -> Vec<u8> {
    let sol::Claim { grant: g, ownerSig, payee, amount, keySig } = to_claim(claim);
    Vault::claimCall { g, ownerSig, payee, amount, keySig }.abi_encode()
}

/// Claims for several sessions or payees at once.
pub fn claim_many(claims: &[Claim]) -> Result<Vec<u8>, AbiError> {
    let (found, allowed) = (claims.len(), limit::CLAIMS_MAX);
    if found == 0 || found > allowed {
        return Err(AbiError::Claims { found, allowed });
    }
    Ok(Vault::claimManyCall { claims: claims.iter().map(to_claim).collect() }.abi_encode())
}

/// Keeps what a session's key reserved for a payee.
pub fn reserve(reserve: &Claim) -> Vec<u8> {
    let sol::Claim { grant: g, ownerSig, payee, amount, keySig } = to_claim(reserve);
    Vault::reserveCall { g, ownerSig, payee, amount, keySig }.abi_encode()
}

/// Gives back what was kept, once its time is over.
pub fn release(session: Digest256, payee: Address) -> Vec<u8> {
    Vault::releaseCall { session: session.into(), payee: to_sol(payee) }.abi_encode()
}

/// Asks for so much to leave the vault.
pub fn request_exit(amount: Amount) -> Vec<u8> {
    Vault::requestExitCall { amount: amount.0 }.abi_encode()
}

/// Takes out what was asked for, once its time has come.
pub fn exit() -> Vec<u8> {
    Vault::exitCall {}.abi_encode()
}

/// Asks what the vault holds of an owner.
pub fn accounts(owner: Address) -> Vec<u8> {
    Vault::accountsCall { owner: to_sol(owner) }.abi_encode()
}

/// Asks what all payees of a session claimed together.
pub fn spent(session: Digest256) -> Vec<u8> {
    Vault::spentCall { session: session.into() }.abi_encode()
}

/// Asks what one payee of a session claimed.
pub fn claimed(session: Digest256, payee: Address) -> Vec<u8> {
    Vault::claimedCall { session: session.into(), payee: to_sol(payee) }.abi_encode()
}

/// Asks what is kept for one payee of a session.
pub fn reserve_of(session: Digest256, payee: Address) -> Vec<u8> {
    Vault::reserveOfCall { session: session.into(), payee: to_sol(payee) }.abi_encode()
}

/// Asks for the hash of the domain, to be compared with ours before anything is signed.
pub fn domain_separator() -> Vec<u8> {
    Vault::domainSeparatorCall {}.abi_encode()
}

/// Asks which token the vault holds; the zero address is the chain's own coin.
pub fn token() -> Vec<u8> {
    Vault::tokenCall {}.abi_encode()
}

/// Asks for the longest time a session may have.
pub fn max_session() -> Vec<u8> {
    Vault::MAX_SESSIONCall {}.abi_encode()
}

/// Asks how long after a session claims are taken.
pub fn claim_window() -> Vec<u8> {
    Vault::CLAIM_WINDOWCall {}.abi_encode()
}

/// Reads the answer to [`accounts`].
pub fn read_account(returned: &[u8]) -> Result<VaultAccount, AbiError> {
    let read = read::<Vault::accountsCall>("account", returned)?;
    Ok(VaultAccount {
        balance: Amount(read.balance),
        reserved: Amount(read.reserved),
        exiting: Amount(read.exiting),
        exit_at: UnixTime(read.exitAt),
    })
}

/// Reads the answer to [`spent`] or [`claimed`].
pub fn read_amount(returned: &[u8]) -> Result<Amount, AbiError> {
    read::<Vault::spentCall>("amount", returned).map(Amount)
}

/// Reads the answer to [`reserve_of`].
pub fn read_reserve(returned: &[u8]) -> Result<Reserved, AbiError> {
    let read = read::<Vault::reserveOfCall>("reserve", returned)?;
    let (amount, until) = (Amount(read.amount), UnixTime(read.until));
    Ok(Reserved { amount, until, owner: of_sol(read.owner) })
}

/// Reads the answer to [`domain_separator`].
pub fn read_separator(returned: &[u8]) -> Result<Digest256, AbiError> {
    read::<Vault::domainSeparatorCall>("domain separator", returned).map(Into::into)
}

/// Reads the answer to [`token`].
pub fn read_token(returned: &[u8]) -> Result<Address, AbiError> {
    read::<Vault::tokenCall>("token", returned).map(of_sol)
}

/// Reads the answer to [`max_session`] or [`claim_window`], in seconds.
pub fn read_seconds(returned: &[u8]) -> Result<u64, AbiError> {
    read::<Vault::MAX_SESSIONCall>("seconds", returned)
}

fn read<C: SolCall>(what: &'static str, returned: &[u8]) -> Result<C::Return, AbiError> {
    super::reason::bounded(returned)?;
    let form = AbiError::Form { what, found: returned.len() };
    C::abi_decode_returns_validate(returned).map_err(|_| form)
}

fn to_claim(claim: &Claim) -> sol::Claim {
    let Grant { owner, key, cap, expiry, salt } = claim.grant;
    sol::Claim {
        grant: sol::Grant {
            owner: to_sol(owner),
            key: to_sol(key),
            cap: cap.0,
            expiry: expiry.0,
            salt: salt.into(),
        },
        ownerSig: claim.owner_signature.0.to_vec().into(),
        payee: to_sol(claim.payee),
        amount: claim.amount.0,
        keySig: claim.key_signature.0.to_vec().into(),
    }
}
