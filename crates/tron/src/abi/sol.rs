//! The contracts' interfaces, from which their calls are written and read.

use alloy_sol_types::sol;

sol! {
    struct Grant { address owner; address key; uint128 cap; uint64 expiry; bytes32 salt; }
    struct Claim { Grant grant; bytes ownerSig; address payee; uint128 amount; bytes keySig; }

    interface Vault {
        function deposit(uint128 amount) external payable;
        function claim(Grant g, bytes ownerSig, address payee, uint128 amount, bytes keySig);
        function claimMany(Claim[] claims);
        function reserve(Grant g, bytes ownerSig, address payee, uint128 amount, bytes keySig);
        function release(bytes32 session, address payee);
        function requestExit(uint128 amount);
        function exit();

        function accounts(address owner)
            returns (uint128 balance, uint128 reserved, uint128 exiting, uint64 exitAt);
        function spent(bytes32 session) returns (uint128);
        function claimed(bytes32 session, address payee) returns (uint128);
        function reserveOf(bytes32 session, address payee)
            returns (uint128 amount, uint64 until, address owner);
        function domainSeparator() returns (bytes32);
        function token() returns (address);
        function MAX_SESSION() returns (uint64);
        function CLAIM_WINDOW() returns (uint64);

        event Deposited(address indexed owner, uint128 amount);
        event Claimed(
            bytes32 indexed session,
            address indexed owner,
            address indexed payee,
            uint128 paid,
            uint128 total
        );
        event Reserved(bytes32 indexed session, address indexed payee, uint128 amount);
        event Released(bytes32 indexed session, address indexed payee, uint128 amount);
        event ExitRequested(address indexed owner, uint128 amount, uint64 at);
        event Exited(address indexed owner, uint128 amount);

        error NoToken(address token);
        error Reentered();
        error WrongValue(uint256 sent, uint256 needed);
        error NothingArrived();
        error NoPayee();
        error BadSignature(address needed);
        error Expired(uint256 now_, uint256 last);
        error ExpiryTooFar(uint256 expiry, uint256 allowed);
        error Stale(uint128 amount, uint128 had);
        error NothingLeft();
        error Locked(uint64 until);
        error NoLock();
        error TooMuch(uint128 amount, uint128 free);
        error NoExit();
        error ExitNotDue(uint64 exitAt);
        error TransferFailed();
    }

    interface Token {
        function approve(address spender, uint256 amount) returns (bool);
        function transfer(address to, uint256 amount) returns (bool);
        function balanceOf(address owner) returns (uint256);
        function allowance(address owner, address spender) returns (uint256);
        function decimals() returns (uint8);
        function symbol() returns (string);
    }
}
