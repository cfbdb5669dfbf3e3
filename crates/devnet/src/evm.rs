//! The virtual machine: accounts, code, storage, calls. Knows no blocks, signatures or fees; time
//! and number of the block that a call runs in come in with it.

pub mod prices;

use core::convert::Infallible;

use headwater_base::Address;
use revm::context::result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::database::{CacheDB, DatabaseRef, EmptyDB, WrapDatabaseRef};
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Bytes, TxKind, U256};
use revm::state::{AccountInfo, Bytecode, EvmState};
use revm::{Context, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext};

use prices::Prices;

type Chain = revm::primitives::Address;

/// Most bytes of code that an account may have (EIP-170, and TRON's own limit).
pub const CODE_BYTES_MAX: usize = 24_576;

/// Why a message was not run at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The sender has less than the message carries.
    #[error("value of {needs} but a balance of {has}")]
    Balance {
        /// What the sender has.
        has: u128,
        /// What the message carries.
        needs: u128,
    },
    /// There is an account with code at that address.
    #[error("{0:?} has code already")]
    Occupied(Address),
    /// The machine takes no such message.
    #[error("message refused: {0:?}")]
    Refused(InvalidTransaction),
}

/// The block that a message runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Its number.
    pub number: u64,
    /// Its date, in seconds since 1970.
    pub seconds: u64,
}

/// A call of an account by another, or the code that makes a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who calls.
    pub from: Address,
    /// Who is called; for a creation, where the contract comes to lie.
    pub to: Address,
    /// Coin that comes along, in the chain's smallest unit.
    pub value: u128,
    /// The call's data; for a creation, its code.
    pub data: Vec<u8>,
    /// The most energy or gas that it may use.
    pub limit: u64,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it wanted to.
    Success,
    /// By its own decision; what it did is undone.
    Revert,
    /// All that it may use is used.
    OutOfEnergy,
    /// By something it cannot do; TRON's name for it.
    Halt(&'static str),
}

/// What a contract told by its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// What it can be found by.
    pub topics: Vec<[u8; 32]>,
    /// The rest.
    pub data: Vec<u8>,
}

/// What came of a message that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// What it returned, or why it reverted; for a creation, the code.
    pub output: Vec<u8>,
    /// Energy or gas it used.
    pub used: u64,
    /// What contracts told; nothing unless it succeeded.
    pub logs: Vec<Log>,
}

/// All accounts with their code, storage and coin.
#[derive(Clone, Debug)]
pub struct Evm {
    state: CacheDB<EmptyDB>,
    chain_id: u64,
    prices: Prices,
}

impl Evm {
    /// A machine without accounts.
    pub fn new(chain_id: u64, prices: Prices) -> Self {
        Self { state: CacheDB::default(), chain_id, prices }
    }

    /// Runs a message and keeps what it did.
    pub fn call(&mut self, moment: Moment, message: &Message) -> Result<Outcome, Error> {
        let (outcome, changes) = self.run(moment, message)?;
        self.state.commit(changes);
        Ok(outcome)
    }

    /// Runs a message and forgets what it did.
    pub fn view(&self, moment: Moment, message: &Message) -> Result<Outcome, Error> {
        Ok(self.run(moment, message)?.0)
    }

    /// Makes a contract at an address that the caller chose. Its constructor runs as the code of
    /// that account: the machine would choose another address.
    pub fn create(&mut self, moment: Moment, message: &Message) -> Result<Outcome, Error> {
        if !self.code(message.to).is_empty() {
            return Err(Error::Occupied(message.to));
        }
        let mut built = self.clone();
        built.set_code(message.to, message.data.clone());
        let call = Message { data: Vec::new(), ..message.clone() };
        let (mut outcome, changes) = built.run(moment, &call)?;
        if outcome.status == Status::Success {
            self.settle(message, &mut outcome);
        }
        if outcome.status == Status::Success {
            built.state.commit(changes);
            built.set_code(message.to, outcome.output.clone());
            *self = built;
        }
        Ok(outcome)
    }

    /// What contracts read as the chain's id.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// What the account has, in the chain's smallest unit.
    pub fn balance(&self, address: Address) -> u128 {
        u128::try_from(self.info(address).balance).unwrap_or(u128::MAX)
    }

    /// Gives the account so much, instead of what it had.
    pub fn set_balance(&mut self, address: Address, balance: u128) {
        let info = AccountInfo { balance: U256::from(balance), ..self.info(address) };
        self.state.insert_account_info(chain(address), info);
    }

    /// The account's code, empty for one without.
    pub fn code(&self, address: Address) -> Vec<u8> {
        self.info(address).code.map(|code| code.original_bytes().to_vec()).unwrap_or_default()
    }

    /// Charges the keeping of new code, and refuses code that may not be kept.
    fn settle(&self, message: &Message, outcome: &mut Outcome) {
        let len = outcome.output.len();
        let used = outcome.used + prices::CODE_BYTE * u64::try_from(len).unwrap_or(u64::MAX);
        if len > CODE_BYTES_MAX {
            *outcome = fail(Status::Halt("INVALID_CODE"), message.limit);
        } else if used > message.limit {
            *outcome = fail(Status::OutOfEnergy, message.limit);
        } else {
            outcome.used = used;
        }
    }

    fn run(&self, moment: Moment, message: &Message) -> Result<(Outcome, EvmState), Error> {
        let has = self.balance(message.from);
        if has < message.value {
            return Err(Error::Balance { has, needs: message.value });
        }
        let cfg = CfgEnv::new()
            .with_chain_id(self.chain_id)
            .with_spec_and_gas_params(SpecId::MERGE, self.prices.table());
        let block = BlockEnv {
            number: U256::from(moment.number),
            timestamp: U256::from(moment.seconds),
            gas_limit: u64::MAX,
            ..BlockEnv::default()
        };
        let tx = TxEnv {
            caller: chain(message.from),
            kind: TxKind::Call(chain(message.to)),
            value: U256::from(message.value),
            data: Bytes::from(message.data.clone()),
            nonce: self.info(message.from).nonce,
            gas_limit: message.limit,
            chain_id: Some(self.chain_id),
            ..TxEnv::default()
        };
        let context = Context::mainnet().with_db(WrapDatabaseRef(&self.state));
        let mut machine = context.with_cfg(cfg).with_block(block).build_mainnet();
        let ran = machine.transact(tx).map_err(refused)?;
        Ok((outcome(ran.result, message.limit), ran.state))
    }

    fn set_code(&mut self, address: Address, code: Vec<u8>) {
        let mut info = self.info(address);
        info.nonce = info.nonce.max(1);
        info.set_code(Bytecode::new_legacy(Bytes::from(code)));
        self.state.insert_account_info(chain(address), info);
    }

    fn info(&self, address: Address) -> AccountInfo {
        let Ok(info) = self.state.basic_ref(chain(address));
        let mut info = info.unwrap_or_default();
        if info.code.is_none() {
            let Ok(code) = self.state.code_by_hash_ref(info.code_hash);
            info.code = Some(code);
        }
        info
    }
}

fn refused(error: EVMError<Infallible>) -> Error {
    match error {
        EVMError::Transaction(why) => Error::Refused(why),
        EVMError::Database(never) => match never {},
        EVMError::Header(_) | EVMError::Custom(_) | EVMError::CustomAny(_) => {
            unreachable!("the block is ours")
        }
    }
}

fn outcome(result: ExecutionResult, limit: u64) -> Outcome {
    match result {
        ExecutionResult::Success { gas, logs, output, .. } => Outcome {
            status: Status::Success,
            output: output.into_data().to_vec(),
            used: gas.tx_gas_used(),
            logs: logs.into_iter().map(log).collect(),
        },
        ExecutionResult::Revert { gas, output, .. } => Outcome {
            status: Status::Revert,
            output: output.to_vec(),
            used: gas.tx_gas_used(),
            logs: Vec::new(),
        },
        ExecutionResult::Halt { reason, .. } => fail(halt(reason), limit),
    }
}

/// Whoever does what cannot be done pays all that it might have used.
fn fail(status: Status, limit: u64) -> Outcome {
    Outcome { status, output: Vec::new(), used: limit, logs: Vec::new() }
}

fn halt(reason: HaltReason) -> Status {
    use HaltReason as Why;
    Status::Halt(match reason {
        Why::OutOfGas(_) => return Status::OutOfEnergy,
        Why::InvalidJump => "BAD_JUMP_DESTINATION",
        Why::StackUnderflow => "STACK_TOO_SMALL",
        Why::StackOverflow => "STACK_TOO_LARGE",
        Why::PrecompileError | Why::PrecompileErrorWithContext(_) => "PRECOMPILED_CONTRACT",
        Why::CreateContractSizeLimit | Why::CreateContractStartingWithEF => "INVALID_CODE",
        Why::OpcodeNotFound
        | Why::InvalidFEOpcode
        | Why::NotActivated
        | Why::OutOfOffset
        | Why::CreateCollision
        | Why::NonceOverflow
        | Why::CreateInitCodeSizeLimit
        | Why::OverflowPayment
        | Why::StateChangeDuringStaticCall
        | Why::CallNotAllowedInsideStatic
        | Why::OutOfFunds
        | Why::CallTooDeep => "ILLEGAL_OPERATION",
    })
}

fn log(log: revm::primitives::Log) -> Log {
    Log {
        address: Address(log.address.into_array()),
        topics: log.data.topics().iter().map(|topic| topic.0).collect(),
        data: log.data.data.to_vec(),
    }
}

fn chain(address: Address) -> Chain {
    Chain::from(address.0)
}
