//! A chain with one vault, people with keys, and a clock that tests turn.

use alloy_primitives::{Address as A, B256, U256, keccak256};
use alloy_sol_types::{
    Eip712Domain, SolCall, SolConstructor, SolEvent, SolInterface, SolStruct, SolValue,
};
use headwater_base::Address;
use headwater_devnet::contracts::{self, Contract};
use headwater_devnet::evm::prices::Prices;
use headwater_devnet::evm::{Evm, Log, Message, Moment, Outcome, Status};
use k256::ecdsa::SigningKey;

use crate::faces::{Claim, Grant, Reserve, Token, Vault, Voucher};

/// The chain's id, and when it begins.
pub(crate) const CHAIN: u64 = 3_448_148_188;
pub(crate) const START: u64 = 1_800_000_000;
pub(crate) const HOUR: u64 = 3_600;
pub(crate) const DAY: u64 = 24 * HOUR;
/// What everybody has of the token, or of coin, at the start.
pub(crate) const RICH: u128 = 1_000_000;
pub(crate) const LIMIT: u64 = 10_000_000;

/// Somebody with a key.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) key: SigningKey,
}

/// A person whose key is that byte 32 times.
pub(crate) fn person(byte: u8) -> Person {
    Person { key: SigningKey::from_slice(&[byte; 32]).expect("small numbers are keys") }
}

impl Person {
    pub(crate) fn address(&self) -> A {
        let point = self.key.verifying_key().to_encoded_point(false);
        A::from_slice(&keccak256(&point.as_bytes()[1..])[12..])
    }

    pub(crate) fn sign(&self, digest: B256) -> [u8; 65] {
        let (signature, id) = self.key.sign_prehash_recoverable(&digest.0).expect("32 bytes");
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&signature.to_bytes());
        bytes[64] = 27 + id.to_byte();
        bytes
    }
}

/// A grant with its owner's signature and the key that promises under it.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) grant: Grant,
    pub(crate) owner_sig: Vec<u8>,
    pub(crate) key: Person,
    pub(crate) domain: Eip712Domain,
}

impl Session {
    pub(crate) fn id(&self) -> B256 {
        self.grant.eip712_hash_struct()
    }

    /// A voucher, ready to be claimed.
    pub(crate) fn voucher(&self, payee: A, amount: u128) -> Claim {
        let voucher = Voucher { session: self.id(), payee, amount };
        self.promise(payee, amount, voucher.eip712_signing_hash(&self.domain))
    }

    /// A reserve, ready to be locked.
    pub(crate) fn reserve(&self, payee: A, amount: u128) -> Claim {
        let reserve = Reserve { session: self.id(), payee, amount };
        self.promise(payee, amount, reserve.eip712_signing_hash(&self.domain))
    }

    fn promise(&self, payee: A, amount: u128, digest: B256) -> Claim {
        Claim {
            grant: self.grant.clone(),
            ownerSig: self.owner_sig.clone().into(),
            payee,
            amount,
            keySig: self.key.sign(digest).to_vec().into(),
        }
    }
}

/// How a call failed.
pub(crate) type Failure = Vec<u8>;

/// What a call that worked told, in order.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) logs: Vec<Log>,
    pub(crate) used: u64,
    pub(crate) output: Vec<u8>,
}

impl Told {
    /// The one event of that kind.
    pub(crate) fn event<E: SolEvent>(&self) -> E {
        let mut found = self.logs.iter().filter_map(|log| {
            E::decode_raw_log(log.topics.iter().map(|topic| B256::from(*topic)), &log.data).ok()
        });
        let event = found.next().expect("an event of that kind");
        assert!(found.next().is_none(), "{} was told twice", E::SIGNATURE);
        event
    }
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) evm: Evm,
    pub(crate) vault: A,
    /// 0 for coin.
    pub(crate) token: A,
    pub(crate) now: u64,
    made: u8,
}

impl World {
    /// A vault of a decent token, of which the first nine people have some and approved all.
    pub(crate) fn new() -> Self {
        Self::of(Prices::Energy, CHAIN)
    }

    pub(crate) fn of(prices: Prices, chain: u64) -> Self {
        let mut world = Self::empty(prices, chain);
        let args = Token::constructorCall { supply: U256::from(RICH * 100) }.abi_encode();
        let bank = person(99).address();
        world.token = world.make(bank, &contracts::test_btt(), &args).expect("token is made");
        world.vault = world.make_vault(world.token).expect("vault is made");
        for n in 1..10 {
            let (to, value) = (person(n).address(), U256::from(RICH));
            let token = world.token;
            world.send(bank, token, 0, Token::transferCall { to, value }).expect("has enough");
            world.approve(to);
        }
        world
    }

    /// A vault of coin, of which the first nine people have some.
    pub(crate) fn native() -> Self {
        let mut world = Self::empty(Prices::Gas, 199);
        world.vault = world.make_vault(A::ZERO).expect("vault is made");
        for n in 1..10 {
            world.evm.set_balance(ours(person(n).address()), RICH);
        }
        world
    }

    /// A vault of a token that can be told how to behave; everybody has some.
    pub(crate) fn hostile() -> Self {
        let mut world = Self::empty(Prices::Energy, CHAIN);
        let maker = person(99).address();
        world.token = world.make(maker, &contracts::hostile_token(), &[]).expect("token is made");
        world.vault = world.make_vault(world.token).expect("vault is made");
        for n in 1..10 {
            let (to, value) = (person(n).address(), U256::from(RICH));
            let token = world.token;
            world.send(maker, token, 0, crate::faces::Hostile::mintCall { to, value }).expect("ok");
        }
        world
    }

    fn empty(prices: Prices, chain: u64) -> Self {
        let evm = Evm::new(chain, prices);
        Self { evm, vault: A::ZERO, token: A::ZERO, now: START, made: 0 }
    }

    pub(crate) fn make_vault(&mut self, token: A) -> Result<A, Failure> {
        let args = Vault::constructorCall { token }.abi_encode();
        self.make(person(99).address(), &contracts::vault(), &args)
    }

    pub(crate) fn make(&mut self, from: A, contract: &Contract, args: &[u8]) -> Result<A, Failure> {
        self.made += 1;
        let to = Address([0x40 + self.made; 20]);
        let data = [&contract.bytecode, args].concat();
        let message = Message { from: ours(from), to, value: 0, data, limit: LIMIT };
        let outcome = self.evm.create(self.moment(), &message).expect("nothing is there yet");
        finish(outcome).map(|_| theirs(to))
    }

    pub(crate) fn approve(&mut self, owner: A) {
        let (token, spender) = (self.token, self.vault);
        let call = Token::approveCall { spender, value: U256::MAX };
        self.send(owner, token, 0, call).expect("approving never fails");
    }

    pub(crate) fn send(
        &mut self,
        from: A,
        to: A,
        value: u128,
        call: impl SolCall,
    ) -> Result<Told, Failure> {
        self.send_raw(from, to, value, call.abi_encode())
    }

    pub(crate) fn send_raw(
        &mut self,
        from: A,
        to: A,
        value: u128,
        data: Vec<u8>,
    ) -> Result<Told, Failure> {
        let message = Message { from: ours(from), to: ours(to), value, data, limit: LIMIT };
        finish(self.evm.call(self.moment(), &message).expect("the sender has as much"))
    }

    pub(crate) fn view<C: SolCall>(&self, to: A, call: C) -> C::Return {
        let from = Address([0; 20]);
        let data = call.abi_encode();
        let message = Message { from, to: ours(to), value: 0, data, limit: LIMIT };
        let outcome = self.evm.view(self.moment(), &message).expect("views send nothing");
        C::abi_decode_returns(&outcome.output).expect("views answer in their form")
    }

    fn moment(&self) -> Moment {
        Moment { number: self.now - START, seconds: self.now }
    }
}

/// The vault's calls, as tests like them.
impl World {
    pub(crate) fn domain(&self) -> Eip712Domain {
        let chain = U256::from(self.chain() & 0xffff_ffff);
        let name = Some("Headwater".into());
        Eip712Domain::new(name, Some("1".into()), Some(chain), Some(self.vault), None)
    }

    pub(crate) fn chain(&self) -> u64 {
        self.evm.chain_id()
    }

    /// A session of an hour between `owner` and a key of its own.
    pub(crate) fn session(&self, owner: u8, cap: u128) -> Session {
        self.session_until(owner, cap, self.now + HOUR)
    }

    pub(crate) fn session_until(&self, owner: u8, cap: u128, expiry: u64) -> Session {
        let key = person(100 + owner);
        let salt = B256::repeat_byte(u8::try_from(self.now % 251).expect("small"));
        let owner = person(owner);
        let grant = Grant { owner: owner.address(), key: key.address(), cap, expiry, salt };
        self.granted(&owner, key, grant)
    }

    pub(crate) fn granted(&self, owner: &Person, key: Person, grant: Grant) -> Session {
        let domain = self.domain();
        let owner_sig = owner.sign(grant.eip712_signing_hash(&domain)).to_vec();
        Session { grant, owner_sig, key, domain }
    }

    pub(crate) fn deposit(&mut self, owner: u8, amount: u128) -> Result<Told, Failure> {
        let value = if self.token.is_zero() { amount } else { 0 };
        self.send(person(owner).address(), self.vault, value, Vault::depositCall { amount })
    }

    pub(crate) fn claim(&mut self, claim: &Claim) -> Result<Told, Failure> {
        // By somebody who has nothing to do with it.
        self.send(person(98).address(), self.vault, 0, claim_call(claim))
    }

    pub(crate) fn claim_many(&mut self, claims: &[Claim]) -> Result<Told, Failure> {
        let call = Vault::claimManyCall { claims: claims.to_vec() };
        self.send(person(98).address(), self.vault, 0, call)
    }

    pub(crate) fn reserve(&mut self, c: &Claim) -> Result<Told, Failure> {
        let c = c.clone();
        let call = Vault::reserveCall {
            grant: c.grant,
            ownerSig: c.ownerSig,
            payee: c.payee,
            amount: c.amount,
            keySig: c.keySig,
        };
        self.send(person(98).address(), self.vault, 0, call)
    }

    pub(crate) fn release(&mut self, session: &Session, payee: A) -> Result<Told, Failure> {
        let call = Vault::releaseCall { session: session.id(), payee };
        self.send(person(98).address(), self.vault, 0, call)
    }

    pub(crate) fn request_exit(&mut self, owner: u8, amount: u128) -> Result<Told, Failure> {
        self.send(person(owner).address(), self.vault, 0, Vault::requestExitCall { amount })
    }

    pub(crate) fn exit(&mut self, owner: u8) -> Result<Told, Failure> {
        self.send(person(owner).address(), self.vault, 0, Vault::exitCall {})
    }

    pub(crate) fn account(&self, owner: A) -> (u128, u128, u128, u64) {
        let a = self.view(self.vault, Vault::accountsCall { owner });
        (a.balance, a.reserved, a.exiting, a.exitAt)
    }

    /// All that somebody has in the vault.
    pub(crate) fn balance(&self, who: A) -> u128 {
        self.account(who).0
    }

    pub(crate) fn locked(&self, session: &Session, payee: A) -> u128 {
        self.view(self.vault, Vault::reserveOfCall { session: session.id(), payee }).amount
    }

    pub(crate) fn spent(&self, session: &Session) -> u128 {
        self.view(self.vault, Vault::spentCall { session: session.id() })
    }

    pub(crate) fn claimed(&self, session: &Session, payee: A) -> u128 {
        self.view(self.vault, Vault::claimedCall { session: session.id(), payee })
    }

    /// What somebody has outside of the vault, or the vault itself.
    pub(crate) fn holds(&self, who: A) -> u128 {
        if self.token.is_zero() {
            return self.evm.balance(ours(who));
        }
        self.view(self.token, Token::balanceOfCall { owner: who }).to()
    }
}

pub(crate) fn claim_call(c: &Claim) -> Vault::claimCall {
    let c = c.clone();
    Vault::claimCall {
        grant: c.grant,
        ownerSig: c.ownerSig,
        payee: c.payee,
        amount: c.amount,
        keySig: c.keySig,
    }
}

/// The call must have failed in just this way.
#[track_caller]
pub(crate) fn refused(result: Result<Told, Failure>, error: Vault::VaultErrors) {
    let data = result.expect_err("the call must fail");
    let found = Vault::VaultErrors::abi_decode(&data);
    assert_eq!(found.ok(), Some(error), "revert data {}", headwater_base::hex(&data));
}

/// What a word in return data says.
pub(crate) fn number(output: &[u8]) -> u128 {
    U256::abi_decode(output).expect("a word").to()
}

pub(crate) fn ours(address: A) -> Address {
    Address(address.into_array())
}

pub(crate) fn theirs(address: Address) -> A {
    A::from(address.0)
}

fn finish(outcome: Outcome) -> Result<Told, Failure> {
    match outcome.status {
        Status::Success => {
            Ok(Told { logs: outcome.logs, used: outcome.used, output: outcome.output })
        }
        Status::Revert => Err(outcome.output),
        Status::OutOfEnergy | Status::Halt(_) => panic!("ended by {:?}", outcome.status),
    }
}
