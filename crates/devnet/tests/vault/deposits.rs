//! How money comes into the vault.

use alloy_primitives::{Address as A, U256};
use alloy_sol_types::SolInterface;

use crate::faces::{Token, Vault};
use crate::world::{RICH, World, person, refused};
use Vault::VaultErrors as E;

#[test]
fn deposit_is_the_callers_and_the_vault_holds_it() {
    let mut world = World::new();
    let told = world.deposit(1, 300).expect("approved");
    let owner = person(1).address();
    assert_eq!(told.event::<Vault::Deposited>(), Vault::Deposited { owner, amount: 300 });
    world.deposit(1, 50).expect("approved");
    world.deposit(2, 7).expect("approved");
    assert_eq!(world.account(owner), (350, 0, 0, 0));
    assert_eq!(world.balance(person(2).address()), 7);
    assert_eq!(world.holds(world.vault), 357);
    assert_eq!(world.holds(owner), RICH - 350);
}

#[test]
fn deposit_of_more_than_is_there_or_was_approved_leaves_nothing_behind() {
    let mut world = World::new();
    world.deposit(1, RICH + 1).expect_err("has not so much");
    let (token, spender) = (world.token, world.vault);
    let owner = person(1).address();
    let call = Token::approveCall { spender, value: U256::from(5) };
    world.send(owner, token, 0, call).expect("approving never fails");
    let data = world.deposit(1, 6).expect_err("not approved");
    let (allowed, needs) = (U256::from(5), U256::from(6));
    let error = Token::TokenErrors::NotAllowed(Token::NotAllowed { allowed, needs });
    assert_eq!(Token::TokenErrors::abi_decode(&data).ok(), Some(error), "token's own reason");
    assert_eq!(world.account(owner), (0, 0, 0, 0));
    assert_eq!(world.holds(world.vault), 0);
}

#[test]
fn deposit_of_nothing_is_refused() {
    for mut world in [World::new(), World::native()] {
        refused(world.deposit(1, 0), E::NothingArrived(Vault::NothingArrived {}));
    }
}

#[test]
fn coin_that_comes_to_a_vault_of_tokens_is_refused() {
    let mut world = World::new();
    let owner = person(1).address();
    world.evm.set_balance(crate::world::ours(owner), 10);
    let result = world.send(owner, world.vault, 10, Vault::depositCall { amount: 10 });
    let error = Vault::WrongValue { sent: U256::from(10), needed: U256::ZERO };
    refused(result, E::WrongValue(error));
    assert_eq!(world.balance(owner), 0);
}

#[test]
fn deposit_of_coin_must_carry_what_it_says() {
    let mut world = World::native();
    let owner = person(1).address();
    world.deposit(1, 40).expect("has it");
    assert_eq!((world.balance(owner), world.holds(world.vault)), (40, 40));
    for (sent, amount) in [(39, 40), (41, 40), (0, 40), (40, 0)] {
        let result = world.send(owner, world.vault, sent, Vault::depositCall { amount });
        let error = Vault::WrongValue { sent: U256::from(sent), needed: U256::from(amount) };
        refused(result, E::WrongValue(error));
    }
    assert_eq!(world.balance(owner), 40);
}

#[test]
fn coin_that_comes_without_a_deposit_is_sent_back() {
    let mut world = World::native();
    let owner = person(1).address();
    world.send_raw(owner, world.vault, 5, Vec::new()).expect_err("nothing takes plain coin");
    let call = Vault::requestExitCall { amount: 0 };
    world.send(owner, world.vault, 5, call).expect_err("only deposits take coin");
    assert_eq!(world.holds(world.vault), 0);
}

#[test]
fn tokens_sent_without_a_deposit_are_nobodys() {
    let mut world = World::new();
    let (from, to) = (person(1).address(), world.vault);
    let call = Token::transferCall { to, value: U256::from(500) };
    world.send(from, world.token, 0, call).expect("has it");
    world.deposit(2, 10).expect("approved");
    assert_eq!(world.balance(person(2).address()), 10);
    assert_eq!(world.balance(from), 0);
}

#[test]
fn vault_of_a_token_that_is_not_there_cannot_be_made() {
    let mut world = World::new();
    let nobody = A::repeat_byte(0x77);
    let data = world.make_vault(nobody).expect_err("no code there");
    let error = E::NoToken(Vault::NoToken { token: nobody });
    assert_eq!(E::abi_decode(&data).ok(), Some(error));
}

#[test]
fn vault_tells_its_token_and_its_times() {
    let world = World::new();
    assert_eq!(world.view(world.vault, Vault::tokenCall {}), world.token);
    assert_eq!(world.view(world.vault, Vault::MAX_SESSIONCall {}), 86_400);
    assert_eq!(world.view(world.vault, Vault::CLAIM_WINDOWCall {}), 86_400);
}
