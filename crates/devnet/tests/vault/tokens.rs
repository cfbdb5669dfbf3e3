//! Tokens and receivers that misbehave: no owner pays for what another's token call did.

use alloy_primitives::{Address as A, U256};
use alloy_sol_types::{SolCall, SolInterface};
use headwater_devnet::contracts;

use crate::faces::{Account, Hostile, Vault};
use crate::world::{DAY, RICH, World, ours, person, refused};
use Vault::VaultErrors as E;

/// What the hostile token does on a transfer, by its number in the source.
const SILENT: u8 = 1;
const SAYS_FALSE: u8 = 2;
const MOVES_NOTHING: u8 = 3;
const LIES: u8 = 4;
const TAKES_FEE: u8 = 5;
const CHARGES_SENDER: u8 = 6;
const MULTIPLIES: u8 = 7;
const ROBS: u8 = 8;
const CALLS_BACK: u8 = 9;

fn become_(world: &mut World, way: u8, back: Vec<u8>) {
    let call = Hostile::becomeCall { way, back: back.into() };
    world.send(person(99).address(), world.token, 0, call).expect("anyone may");
}

/// A world in which 2 has a deposit, and 1 deposits while the token behaves that way.
fn deposited(way: u8, amount: u128) -> (World, Result<u128, Vec<u8>>) {
    let mut world = World::hostile();
    world.deposit(2, 500).expect("decent so far");
    become_(&mut world, way, Vec::new());
    let result = world.deposit(1, amount);
    let result = result.map(|told| told.event::<Vault::Deposited>().amount);
    (world, result)
}

/// A world in which 1 leaves with 100 while the token behaves that way, and how that went.
fn left(way: u8) -> (World, Result<u128, Vec<u8>>) {
    let mut world = World::hostile();
    world.deposit(2, 500).expect("decent so far");
    world.deposit(1, 100).expect("decent so far");
    world.request_exit(1, 100).expect("free");
    world.now += 2 * DAY + 1;
    become_(&mut world, way, Vec::new());
    let result = world.exit(1).map(|told| told.event::<Vault::Exited>().amount);
    (world, result)
}

fn failed(result: Result<u128, Vec<u8>>, error: E) {
    assert_eq!(E::abi_decode(&result.expect_err("must fail")).ok(), Some(error));
}

#[test]
fn token_that_returns_nothing_or_false_works() {
    for way in [SILENT, SAYS_FALSE] {
        let (world, result) = deposited(way, 100);
        assert_eq!(result, Ok(100));
        assert_eq!(world.holds(world.vault), 600);
        let (world, result) = left(way);
        assert_eq!(result, Ok(100));
        assert_eq!((world.holds(person(1).address()), world.holds(world.vault)), (RICH, 500));
    }
}

#[test]
fn deposit_that_does_not_arrive_is_not_credited() {
    for way in [MOVES_NOTHING, LIES] {
        let (world, result) = deposited(way, 100);
        failed(result, E::NothingArrived(Vault::NothingArrived {}));
        assert_eq!(world.balance(person(1).address()), 0);
    }
}

#[test]
fn deposit_is_credited_less_the_tokens_fee() {
    let (world, result) = deposited(TAKES_FEE, 100);
    assert_eq!(result, Ok(90));
    assert_eq!((world.balance(person(1).address()), world.holds(world.vault)), (90, 590));
}

#[test]
fn deposit_is_never_credited_more_than_its_owner_said() {
    let (world, result) = deposited(MULTIPLIES, 100);
    assert_eq!(result, Ok(100));
    assert_eq!(world.balance(person(1).address()), 100);
}

#[test]
fn deposit_during_which_the_vault_loses_tokens_is_refused() {
    let (world, result) = deposited(ROBS, 100);
    failed(result, E::TransferFailed(Vault::TransferFailed {}));
    assert_eq!(world.holds(world.vault), 500);
}

#[test]
fn exit_in_which_nothing_or_too_much_leaves_is_undone() {
    for way in [MOVES_NOTHING, LIES, CHARGES_SENDER] {
        let (mut world, result) = left(way);
        failed(result, E::TransferFailed(Vault::TransferFailed {}));
        let owner = person(1).address();
        assert_eq!((world.balance(owner), world.holds(world.vault)), (100, 600), "way {way}");
        become_(&mut world, SILENT, Vec::new());
        world.exit(1).expect("still due when the token behaves again");
    }
}

#[test]
fn receiver_bears_the_tokens_fee_on_an_exit() {
    let (world, result) = left(TAKES_FEE);
    assert_eq!(result, Ok(100));
    assert_eq!((world.holds(person(1).address()), world.holds(world.vault)), (RICH - 10, 500));
}

/// Every call that changes the vault, as a token or a receiver would make it.
fn calls(world: &World) -> Vec<Vec<u8>> {
    let session = world.session(2, 80);
    let voucher = session.voucher(person(1).address(), 50);
    let reserve = session.reserve(person(1).address(), 50);
    vec![
        Vault::depositCall { amount: 10 }.abi_encode(),
        Vault::requestExitCall { amount: 10 }.abi_encode(),
        Vault::exitCall {}.abi_encode(),
        crate::world::claim_call(&voucher).abi_encode(),
        Vault::claimManyCall { claims: vec![voucher] }.abi_encode(),
        Vault::reserveCall {
            grant: reserve.grant,
            ownerSig: reserve.ownerSig,
            payee: reserve.payee,
            amount: reserve.amount,
            keySig: reserve.keySig,
        }
        .abi_encode(),
        Vault::releaseCall { session: session.id(), payee: person(1).address() }.abi_encode(),
    ]
}

fn reentered(answer: &[u8]) {
    let error = E::Reentered(Vault::Reentered {});
    assert_eq!(E::abi_decode(answer).ok(), Some(error));
}

#[test]
fn token_that_calls_back_during_a_deposit_gets_nowhere() {
    let back = calls(&World::hostile());
    for data in back {
        let mut world = World::hostile();
        world.deposit(2, 500).expect("decent so far");
        become_(&mut world, CALLS_BACK, data);
        world.deposit(1, 100).expect("its call back fails, the deposit does not");
        assert!(!world.view(world.token, Hostile::answeredCall {}));
        reentered(&world.view(world.token, Hostile::answerCall {}));
        assert_eq!(world.balance(person(1).address()), 100);
        assert_eq!(world.balance(person(2).address()), 500);
    }
}

#[test]
fn token_that_calls_back_during_its_own_exit_gets_nowhere() {
    for data in calls(&World::hostile()) {
        let mut world = World::hostile();
        world.deposit(2, 500).expect("decent so far");
        // The token is an owner itself, since only then a call back could be an exit of its own.
        let (token, vault, minter) = (world.token, world.vault, person(99).address());
        let mint = Hostile::mintCall { to: token, value: U256::from(100) };
        world.send(minter, token, 0, mint).expect("anyone may");
        let act = |world: &mut World, call: Vec<u8>| {
            let act = Hostile::actCall { target: vault, data: call.into() };
            world.send(minter, token, 0, act)
        };
        act(&mut world, Vault::depositCall { amount: 100 }.abi_encode()).expect("has it");
        act(&mut world, Vault::requestExitCall { amount: 100 }.abi_encode()).expect("free");
        world.now += 2 * DAY + 1;
        become_(&mut world, CALLS_BACK, data);
        act(&mut world, Vault::exitCall {}.abi_encode()).expect("due");
        reentered(&world.view(token, Hostile::answerCall {}));
        assert_eq!((world.balance(token), world.holds(vault)), (0, 500));
    }
}

/// A vault of coin in which a contract has 100 and leaves with it, and 2 has 500.
fn contract_leaves(refuses: bool, back: Vec<u8>) -> (World, A, Result<(), Vec<u8>>) {
    let mut world = World::native();
    world.deposit(2, 500).expect("has it");
    let driver = person(1).address();
    let who = world.make(driver, &contracts::account(), &[]).expect("made");
    let vault = world.vault;
    let act = |world: &mut World, value: u128, call: Vec<u8>| {
        let act = Account::actCall { target: vault, data: call.into() };
        world.send(driver, who, value, act).map(|_| ())
    };
    act(&mut world, 100, Vault::depositCall { amount: 100 }.abi_encode()).expect("has it");
    act(&mut world, 0, Vault::requestExitCall { amount: 100 }.abi_encode()).expect("free");
    let call = Account::becomeCall { refuses, back: back.into() };
    world.send(driver, who, 0, call).expect("anyone may");
    world.now += 2 * DAY + 1;
    let result = act(&mut world, 0, Vault::exitCall {}.abi_encode());
    (world, who, result)
}

#[test]
fn receiver_of_coin_that_calls_back_gets_nowhere() {
    for data in calls(&World::native()) {
        let (world, who, result) = contract_leaves(false, data);
        result.expect("its call back fails, the exit does not");
        assert!(!world.view(who, Account::answeredCall {}));
        reentered(&world.view(who, Account::answerCall {}));
        assert_eq!((world.evm.balance(ours(who)), world.holds(world.vault)), (100, 500));
    }
}

#[test]
fn receiver_that_refuses_coin_keeps_its_deposit() {
    let (world, who, result) = contract_leaves(true, Vec::new());
    let error = E::TransferFailed(Vault::TransferFailed {});
    assert_eq!(E::abi_decode(&result.expect_err("refused")).ok(), Some(error));
    assert_eq!(world.account(who).0, 100);
    assert_eq!(world.holds(world.vault), 600);
}

#[test]
fn claims_move_no_token_and_ask_it_nothing() {
    let mut world = World::hostile();
    world.deposit(2, 500).expect("decent so far");
    become_(&mut world, ROBS, Vec::new());
    let voucher = world.session(2, 80).voucher(person(1).address(), 50);
    world.claim(&voucher).expect("stays inside the vault");
    assert_eq!(world.holds(world.vault), 500);
    let stale = Vault::Stale { amount: 50, had: 50 };
    refused(world.claim(&voucher), E::Stale(stale));
}
